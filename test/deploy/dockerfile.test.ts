import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dockerfile = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8')
const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(match => match[1]!.split(' '))

test('what the image takes exists and is let through to the build', () => {
  const letThrough = new Set(readFileSync(join(root, 'deploy/Dockerfile.dockerignore'), 'utf8').split('\n'))
  assert.ok(copied.includes('consumer'))
  for (const path of copied) {
    assert.ok(existsSync(join(root, path)), path)
    assert.ok(letThrough.has(`!${path}`), `deploy/Dockerfile.dockerignore holds ${path} back`)
  }
})

test('what the image runs imports nothing that the image lacks', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: object }
  const packages = new Set(Object.keys(dependencies))
  const faults: string[] = []
  for (const path of globSync('{lib,crds,operator,consumer}/**/*.ts', { cwd: root })) {
    const text = readFileSync(join(root, path), 'utf8')
    for (const [, from = ''] of text.matchAll(/(?:from|import\() ?'([^']+)'/g)) {
      if (from.startsWith('node:')) continue
      if (from.startsWith('.')) {
        const [folder = ''] = join(path, '..', from).split(/[\\/]/)
        if (!copied.includes(folder)) faults.push(`${path} imports ${from}`)
      } else if (
        !packages.has(
          from
            .split('/')
            .slice(0, from.startsWith('@') ? 2 : 1)
            .join('/')
        )
      )
        faults.push(`${path} imports ${from}`)
    }
  }
  assert.deepEqual(faults, [])
})

test('the image has the Node that the package asks for, and runs as nobody', () => {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } }
  const [, major, minor] = /^ARG NODE=(\d+)\.(\d+)\.\d+$/m.exec(dockerfile) ?? []
  const [, leastMajor, leastMinor] = /^>=(\d+)\.(\d+)$/.exec(engines.node) ?? []
  assert.equal(major, leastMajor)
  assert.ok(Number(minor) >= Number(leastMinor))
  assert.match(dockerfile, /^USER 65532:65532$/m)
})
