// npm run image: an image archive without a daemon. See docs/image.md.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildImage } from './build.ts'
import { SUITE, newestPackages } from './debian.ts'
import { ARCHITECTURES, readLock, writeLock, type Architecture } from './debian-lock.ts'
import { fullName } from './oci.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const USAGE = `Usage: npm run image -- --out FILE.tar [options]

  --out FILE         the archive: an OCI image layout that ctr, skopeo, podman and docker load
  --platform LIST    linux/amd64,linux/arm64 (both, unless told)
  --tag NAME:TAG     the image's name (bronze-operator:<version>)
  --lock FILE        which versions of Debian's packages (deploy/image/debian.lock.json)
  --update-lock      first take the newest versions into that file
  --cache FOLDER     where downloads are kept (node_modules/.cache/image)
  --json             print what was built as JSON
`

const OPTIONS = {
  out: { type: 'string' },
  platform: { type: 'string', default: ARCHITECTURES.map(each => `linux/${each}`).join() },
  tag: { type: 'string' },
  lock: { type: 'string', default: join(ROOT, 'deploy/image/debian.lock.json') },
  'update-lock': { type: 'boolean', default: false },
  cache: { type: 'string', default: join(ROOT, 'node_modules/.cache/image') },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false }
} as const

const { values } = parseArgs({ options: OPTIONS })
await (values.help || (values.out === undefined && !values['update-lock']) ? usage() : build())

async function build(): Promise<void> {
  const cache = resolve(values.cache)
  const architectures = values.platform.split(',').map(architectureOf)
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  const tag = values.tag ?? `bronze-operator:${version}`
  fullName(tag)
  if (values['update-lock']) await updateLock(values.lock, cache)
  if (values.out === undefined) return
  const lock = await readLock(values.lock)
  const { archive, images } = await buildImage({ root: ROOT, architectures, tag, lock, cache })
  await mkdir(dirname(resolve(values.out)), { recursive: true })
  await writeFile(values.out, archive.bytes)
  const layers = images.flatMap(({ architecture, layers }) =>
    layers.map(({ name, tarBytes, gzip }) => ({ architecture, name, tarBytes, gzipBytes: gzip.length }))
  )
  const { digest, manifests, bytes } = archive
  if (values.json) return console.log(JSON.stringify({ tag, digest, manifests, bytes: bytes.length, layers }))
  for (const { architecture, name, tarBytes, gzipBytes } of layers)
    console.log(`${architecture}  ${name.padEnd(12)} ${megabytes(tarBytes)} MB, compressed ${megabytes(gzipBytes)} MB`)
  console.log(`${values.out}: ${tag}, ${megabytes(bytes.length).trim()} MB, ${digest}`)
}

async function updateLock(path: string, cache: string): Promise<void> {
  const [amd64, arm64] = [await newestPackages(SUITE, 'amd64', cache), await newestPackages(SUITE, 'arm64', cache)]
  await writeLock(path, { suite: SUITE, packages: { amd64, arm64 } })
}

function architectureOf(platform: string): Architecture {
  const found = ARCHITECTURES.find(each => `linux/${each}` === platform.trim())
  if (found === undefined) throw new Error(`--platform ${platform}: only linux/amd64 and linux/arm64 are built`)
  return found
}

function usage(): void {
  console.log(USAGE)
  if (!values.help) process.exitCode = 2
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1).padStart(6)
}
