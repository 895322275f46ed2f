/**
 * An image for several platforms as one archive: an OCI image layout (image-spec 1.1), with `manifest.json` beside it for
 * `docker load`, which takes the first platform.
 */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { file, writeTar, type Entry } from './tar.ts'

const INDEX = 'application/vnd.oci.image.index.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const CONFIG = 'application/vnd.oci.image.config.v1+json'
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'
/** In a gzip header, the system on which the file was made; 255 is unknown. */
const GZIP_SYSTEM_AT = 9

export interface Layer {
  readonly name: string
  /** Of the tar, not compressed. */
  readonly diffId: string
  readonly tarBytes: number
  readonly gzip: Buffer
}

/** One platform's image. */
export interface Image {
  readonly architecture: string
  readonly layers: readonly Layer[]
  readonly run: RunConfig
}

export interface RunConfig {
  readonly user: string
  readonly workingDir: string
  readonly env: readonly string[]
  readonly cmd: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

export interface Archive {
  readonly bytes: Buffer
  /** Of the index: what a registry would call the image's digest. */
  readonly digest: string
  /** Of each platform's manifest. */
  readonly manifests: Readonly<Record<string, string>>
}

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

export function layerOf(name: string, entries: readonly Entry[]): Layer {
  const tar = writeTar(entries)
  const gzip = gzipSync(tar, { level: 6 })
  gzip[GZIP_SYSTEM_AT] = 255
  return { name, diffId: sha256(tar), tarBytes: tar.length, gzip }
}

/** The bytes depend on nothing but the arguments. */
export function archiveOf(images: readonly Image[], tag: string): Archive {
  const [first] = images
  if (first === undefined) throw new Error('an image needs a platform')
  const blobs = new Map<string, Buffer>()
  const put = (mediaType: string, bytes: Buffer): Descriptor => {
    const digest = sha256(bytes)
    blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const built = images.map(image => {
    const config = put(CONFIG, json(configOf(image)))
    const layers = image.layers.map(({ gzip }) => put(LAYER, gzip))
    const manifest = put(MANIFEST, json({ schemaVersion: 2, mediaType: MANIFEST, config, layers }))
    return { platform: { architecture: image.architecture, os: 'linux' }, config, layers, manifest }
  })
  const manifests = built.map(({ manifest, platform }) => ({ ...manifest, platform }))
  const index = put(INDEX, json({ schemaVersion: 2, mediaType: INDEX, manifests }))
  const annotations = {
    'io.containerd.image.name': fullName(tag),
    'org.opencontainers.image.ref.name': tag.slice(tag.lastIndexOf(':') + 1)
  }
  const [forDocker] = built.map(({ config, layers }) => ({
    Config: blobPath(config.digest),
    RepoTags: [tag],
    Layers: layers.map(({ digest }) => blobPath(digest))
  }))
  const bytes = writeTar([
    file('oci-layout', json({ imageLayoutVersion: '1.0.0' })),
    file('index.json', json({ schemaVersion: 2, mediaType: INDEX, manifests: [{ ...index, annotations }] })),
    file('manifest.json', json([forDocker])),
    ...[...blobs].map(([digest, content]) => file(blobPath(digest), content))
  ])
  const digests = Object.fromEntries(built.map(({ platform, manifest }) => [platform.architecture, manifest.digest]))
  return { bytes, digest: index.digest, manifests: digests }
}

/** As Docker completes a name without a registry. Throws when it is none, or has no tag. */
export function fullName(tag: string): string {
  if (!/^[a-z0-9]+([._-][a-z0-9]+)*(:[0-9]+)?(\/[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*)*:[\w][\w.-]{0,127}$/.test(tag))
    throw new Error(`--tag ${tag} is not NAME:TAG`)
  const parts = tag.split('/')
  const [host = ''] = parts
  if (parts.length > 1 && (/[.:]/.test(host) || host === 'localhost')) return tag
  return `docker.io/${parts.length > 1 ? '' : 'library/'}${tag}`
}

function configOf({ architecture, layers, run }: Image): object {
  return {
    // A time of building would be another digest each day.
    created: '1970-01-01T00:00:00Z',
    architecture,
    os: 'linux',
    ...(architecture === 'arm64' && { variant: 'v8' }),
    config: {
      User: run.user,
      Env: run.env,
      Cmd: run.cmd,
      WorkingDir: run.workingDir,
      Labels: run.labels
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ name }) => ({ created: '1970-01-01T00:00:00Z', created_by: name }))
  }
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const blobPath = (digest: string): string => `blobs/${digest.replace(':', '/')}`
export const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
