import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { USER_ID, baseEntries } from './base.ts'
import { billOf, modulesOf } from './bill.ts'
import { debianPackages } from './debian.ts'
import type { Architecture, DebianLock } from './debian-lock.ts'
import { isElf, readProgram } from './elf.ts'
import { HOME, moduleEntries, sourceEntries } from './files.ts'
import { nodeBinary, type LockedModule } from './node-binary.ts'
import { archiveOf, layerOf, type Archive, type Image, type Layer, type RunConfig } from './oci.ts'
import { file, type Entry } from './tar.ts'

export interface ImageOptions {
  /** The repository. */
  readonly root: string
  readonly architectures: readonly Architecture[]
  /** `NAME:TAG`. */
  readonly tag: string
  readonly lock: DebianLock
  /** A folder in which downloads are kept. */
  readonly cache: string
}

export interface Built {
  readonly archive: Archive
  readonly images: readonly Image[]
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
}

/** Needs no daemon and no privilege. The archive's bytes depend on the repository, the lock files and Node's version alone. */
export async function buildImage({ root, architectures, tag, lock, cache }: ImageOptions): Promise<Built> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest
  const locked = await lockedModules(root)
  const [modules, sources] = [await moduleEntries(root, cache), await sourceEntries(root)]
  const shared = layerOf('dependencies', modules)
  const images: Image[] = []
  for (const architecture of architectures) {
    const debian = await debianPackages(lock, architecture, cache)
    const node = await nodeBinary(architecture, locked, cache)
    const base = baseEntries(debian)
    checkLinks([...base, ...node.entries], architecture)
    const bill = billOf({
      version: manifest.version,
      nodeVersion: node.version,
      architecture,
      debian,
      modules: modulesOf(modules)
    })
    const layers: Layer[] = [
      layerOf('debian', base),
      layerOf('node', node.entries),
      shared,
      layerOf('bronze', [...sources, file(`${HOME}/bill-of-materials.cdx.json`, bill), COMMAND])
    ]
    images.push({ architecture, layers, run: runConfig(manifest, node.version) })
  }
  return { archive: archiveOf(images, tag), images }
}

/** `bronze`, for jobs and `kubectl exec`; there is no shell in the image that could find Node for a script. */
const COMMAND = file('usr/local/bin/bronze', `#!/usr/local/bin/node\nimport('/${HOME}/cli/main.ts')\n`, 0o755)

function runConfig({ name, version, description, license }: Manifest, nodeVersion: string): RunConfig {
  return {
    user: `${USER_ID}:${USER_ID}`,
    workingDir: `/${HOME}`,
    env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'NODE_ENV=production'],
    cmd: ['node', 'operator/main.ts'],
    labels: {
      'org.opencontainers.image.title': name,
      'org.opencontainers.image.description': description,
      'org.opencontainers.image.licenses': license,
      'org.opencontainers.image.version': version,
      'dev.bronze.node-version': nodeVersion
    }
  }
}

async function lockedModules(root: string): Promise<(name: string) => LockedModule> {
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedModule | undefined>
  }
  return name => {
    const locked = packages[`node_modules/${name}`]
    if (locked === undefined) throw new Error(`package-lock.json does not hold ${name}`)
    return locked
  }
}

/** Fails when a program or library is for another machine, or is linked to what the image lacks. */
function checkLinks(entries: readonly Entry[], architecture: Architecture): void {
  const names = new Set(entries.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)))
  for (const { path, kind, bytes } of entries) {
    if (kind !== 'file' || !isElf(bytes)) continue
    const { machine, needed, interpreter } = readProgram(bytes)
    if (machine !== architecture) throw new Error(`${path} is for ${machine}, not for ${architecture}`)
    const missing = [
      ...needed,
      ...(interpreter === undefined ? [] : [interpreter.slice(interpreter.lastIndexOf('/') + 1)])
    ].filter(name => !names.has(name))
    if (missing.length > 0) throw new Error(`${path} needs ${missing.join(', ')}, which the image lacks`)
  }
}
