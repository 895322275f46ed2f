import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { faults, isPure } from './tidy/rules.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const FOLDERS = 'lib,crds,operator,consumer,cli,bench,test,deploy,helm,docs,.ci'
const TEXTS = 'ts,js,json,jsonc,yaml,yml,md,py,tpl,txt,xml,run'

const files = globSync([`{${FOLDERS}}/**/*.{${TEXTS}}`, '.ci/run', `*.{${TEXTS}}`, '.npmrc'], { cwd: root })
  .map(path => path.replaceAll('\\', '/'))
  .filter(path => !path.includes('node_modules/'))
  .map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }))

test('the tree keeps its rules', () => assert.deepEqual(faults(files), []))

test('the rules see the tree', () => {
  assert.ok(files.length > 100, `${files.length} files were read`)
  const pure = files.filter(({ path }) => isPure(path))
  for (const folder of ['consumer/decode/', 'consumer/columns/', 'consumer/parquet/', 'consumer/sinks/delta/']) {
    assert.ok(
      pure.some(({ path }) => path.startsWith(folder)),
      `no pure file in ${folder}`
    )
  }
})
