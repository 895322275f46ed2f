import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isModuleLeftOut, isSourceLeftOut } from '../../../deploy/image/contents.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

interface Locked {
  readonly dev?: boolean
  readonly optional?: boolean
}

/** Folders of the packages that production installs. */
function production(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, Locked>>
  }
  return Object.entries(packages)
    .filter(([path, { dev, optional }]) => path !== '' && dev !== true && optional !== true)
    .map(([path]) => path)
}

/** What a file asks for by name: `require('x')`, `from 'x'`, `import('x')`. */
const wanted = (text: string): string[] =>
  [...text.matchAll(/(?:\brequire\(|\bfrom|\bimport\(?)\s*(['"])([^'"\n]+)\1/g)].map(([, , name = '']) => name)

test('no module that stays asks for one that is left out', () => {
  const faults: string[] = []
  for (const folder of production()) {
    const files = globSync('**/*.{js,cjs,mjs}', { cwd: join(root, folder), exclude: ['**/node_modules'] })
    for (const path of files.map(file => join(folder, file)).filter(path => !isModuleLeftOut(path))) {
      const resolve = createRequire(join(root, path)).resolve
      for (const name of new Set(wanted(readFileSync(join(root, path), 'utf8')))) {
        const target = name.startsWith('.') ? relativeTarget(path, name) : bareTarget(name, resolve)
        // Types are asked for in comments.
        if (target !== undefined && isModuleLeftOut(target) && !/\.d\.[cm]?ts$/.test(target))
          faults.push(`${path} asks for ${name}`)
      }
    }
  }
  assert.deepEqual(faults, [])
})

function relativeTarget(path: string, name: string): string | undefined {
  const target = join(dirname(path), name)
  return ['', '.js', '.json', '/index.js']
    .map(end => target + end)
    .find(each => /\.\w+$/.test(each) && existsSync(join(root, each)))
}

function bareTarget(name: string, resolve: (name: string) => string): string | undefined {
  try {
    const target = relative(root, resolve(name))
    return target.startsWith('node_modules') ? target : undefined
  } catch {
    return undefined
  }
}

test('what is loaded and what licenses ask for stays', () => {
  for (const path of ['ajv/dist/ajv.js', 'ajv/LICENSE', 'ajv/package.json', 'axios/dist/node/axios.cjs'])
    assert.ok(!isModuleLeftOut(`node_modules/${path}`), path)
  for (const path of ['ajv/dist/ajv.d.ts', 'x/README.md', 'bare-fs/prebuilds/linux-x64/bare-fs.bare'])
    assert.ok(isModuleLeftOut(`node_modules/${path}`), path)
  assert.ok(isSourceLeftOut('cli/demo/main.ts') && isSourceLeftOut('crds/generate-types.ts'))
  assert.ok(!isSourceLeftOut('cli/main.ts') && !isSourceLeftOut('crds/bronzepipeline.json'))
})
