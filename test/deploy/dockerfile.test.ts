import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { FILES, FOLDERS, isSourceLeftOut } from '../../deploy/image/contents.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dockerfile = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8')
const ignored = readFileSync(join(root, 'deploy/Dockerfile.dockerignore'), 'utf8').split('\n')
const copied = [...dockerfile.matchAll(/^COPY (?!--from)(?:--\S+ )*(.+) \S+$/gm)].flatMap(match => match[1]!.split(' '))

test('what the image takes exists and is let through to the build', () => {
  for (const path of copied) {
    assert.ok(existsSync(join(root, path)), path)
    assert.ok(ignored.includes(`!${path}`), `deploy/Dockerfile.dockerignore holds ${path} back`)
  }
})

test('both ways to build the image take the same', () => {
  for (const path of [...FOLDERS, ...FILES]) assert.ok(copied.includes(path), `deploy/Dockerfile lacks ${path}`)
  const heldBack = ignored.filter(line => line !== '*' && !line.startsWith('!') && line !== '')
  const paths = globSync(`{${FOLDERS.join()}}/**/*.{ts,js,json,yaml}`, { cwd: root })
  for (const path of paths.map(each => each.replaceAll('\\', '/'))) {
    const isHeldBack = heldBack.some(line => path.startsWith(line.replace(/\*$/, '')))
    assert.equal(isHeldBack, isSourceLeftOut(path), path)
  }
  assert.match(dockerfile, /^RUN node deploy\/image\/prune\.ts$/m)
})

test('what the image runs imports nothing that the image lacks', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: object }
  const packages = new Set(Object.keys(dependencies))
  const faults: string[] = []
  for (const path of globSync(`{${FOLDERS.join()}}/**/*.ts`, { cwd: root }).filter(path => !isSourceLeftOut(path))) {
    const text = readFileSync(join(root, path), 'utf8')
    for (const [, fixed, dynamic] of text.matchAll(
      /^(?:(?:import|export) .*|\}) from '([^']+)'$|import\('([^']+)'\)/gm
    )) {
      const from = fixed ?? dynamic ?? ''
      const isThere =
        from.startsWith('node:') ||
        (from.startsWith('.') ? isTaken(join(path, '..', from)) : packages.has(packageOf(from)))
      if (!isThere) faults.push(`${path} imports ${from}`)
    }
  }
  assert.deepEqual(faults, [])
})

function isTaken(path: string): boolean {
  const [folder = ''] = path.split(/[\\/]/)
  return [...FOLDERS, ...FILES].some(each => each === folder) && !isSourceLeftOut(path.replaceAll('\\', '/'))
}

const packageOf = (from: string): string => from.split('/', from.startsWith('@') ? 2 : 1).join('/')

test('the image has the Node of the lock file, as `npm run image` does, and runs as nobody', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, { readonly version: string } | undefined>>
  }
  const versions = ['x64', 'arm64'].map(arch => packages[`node_modules/node-linux-${arch}`]?.version)
  const [, version] = /^ARG NODE=(\d+\.\d+\.\d+)$/m.exec(dockerfile) ?? []
  assert.deepEqual(versions, [version, version])
  assert.match(dockerfile, /^USER 65532:65532$/m)
})
