/**
 * `npm run pack`: makes `bronze-operator-<version>.tgz`, which `npm install -g` takes. Node refuses to strip types below
 * node_modules, so the package carries plain JavaScript.
 */
import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FOLDERS = ['cli', 'consumer', 'crds', 'lib', 'operator', 'deploy/examples']
const FILES = new Set(['LICENSE', 'README.md', 'CHANGELOG.md'])
/** Development only: it needs packages that an installed `bronze` does not have. */
const LEFT_OUT = [/^cli\/demo\//, /^crds\/generate/]

interface Manifest {
  readonly name: string
  readonly version: string
  readonly [field: string]: unknown
}

/** Fields of package.json that an installed package needs. */
const KEPT = [
  'name',
  'version',
  'description',
  'license',
  'type',
  'engines',
  'bin',
  'dependencies',
  'optionalDependencies'
]

/** Returns the path of the tarball in `destination`. */
export async function pack(destination: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Manifest
  const staging = await mkdtemp(join(tmpdir(), 'bronze-pack-'))
  try {
    const kept = Object.fromEntries(KEPT.filter(field => field in manifest).map(field => [field, manifest[field]]))
    await writeFile(join(staging, 'package.json'), `${JSON.stringify(kept, undefined, 2)}\n`)
    for (const path of await sources()) await place(path, staging)
    await mkdir(destination, { recursive: true })
    const npm = spawnSync('npm', ['pack', '--ignore-scripts', '--pack-destination', resolve(destination)], {
      cwd: staging,
      encoding: 'utf8',
      shell: process.platform === 'win32'
    })
    if (npm.status !== 0) throw new Error(`npm pack failed: ${npm.error?.message ?? npm.stderr}`)
    return join(resolve(destination), `${manifest.name}-${manifest.version}.tgz`)
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

/** Paths below the root, with forward slashes. */
async function sources(): Promise<string[]> {
  const found = (await readdir(ROOT)).filter(name => FILES.has(name))
  for (const folder of FOLDERS) {
    const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true })
    for (const entry of entries) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name).slice(ROOT.length).replaceAll('\\', '/')
      if (!LEFT_OUT.some(pattern => pattern.test(path))) found.push(path)
    }
  }
  return found
}

async function place(path: string, staging: string): Promise<void> {
  const target = join(staging, path)
  await mkdir(dirname(target), { recursive: true })
  if (!/\.(ts|js)$/.test(path)) return await cp(join(ROOT, path), target)
  const code = await readFile(join(ROOT, path), 'utf8')
  const plain = path.endsWith('.ts') ? stripTypeScriptTypes(code, { mode: 'strip' }) : code
  await writeFile(target.replace(/\.ts$/, '.js'), asJavaScriptPaths(plain))
}

/** `'./x.ts'` becomes `'./x.js'`, in imports and in the URLs of programs to start alike. */
export function asJavaScriptPaths(code: string): string {
  return code.replaceAll(/(['"])(\.{1,2}\/[^'"\n]*)\.ts\1/g, '$1$2.js$1')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${await pack(process.argv[2] ?? '.')}\n`)
}
