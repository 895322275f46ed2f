/** docs/operations.md tells every reason, every code of trouble and every metric that the code has, each once. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(join(root, 'docs/operations.md'), 'utf8')
/** The first cells of its tables: what they are about. */
const told = [...page.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell = '']) =>
  [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
)

/** Nobody reads them there: those of a source that is closing, and of `bronze clean`, which prints what it says. */
const UNTOLD = new Set(['SourceClosed', 'TableInside'])

function namesIn(folders: readonly string[], pattern: RegExp): ReadonlySet<string> {
  const files = folders.flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(path => join(root, folder, path))
  )
  const texts = files.filter(path => path.endsWith('.ts')).map(path => readFileSync(path, 'utf8'))
  return new Set(texts.flatMap(text => [...text.matchAll(pattern)].map(([, name = '']) => name)))
}

for (const [what, names] of [
  [
    'reason and code of trouble',
    namesIn(['consumer', 'lib'], /\b(?:(?:Fatal|Retryable)Error\(|StatementError\('\w+',)\s*'(\w+)'/g)
  ],
  ['metric', namesIn(['consumer', 'operator'], /'(bronze_[a-z_]+)'/g)]
] as const) {
  test(`docs/operations.md tells every ${what}`, () => {
    assert.ok(names.size > 10)
    const missing = [...names].filter(name => !told.includes(name) && !UNTOLD.has(name))
    assert.deepEqual(missing, [])
  })
}

test('docs/operations.md tells every reason for which a condition of the operator is not as it should be', () => {
  const text = readFileSync(join(root, 'operator/status/conditions.ts'), 'utf8')
  const names = [...text.matchAll(/\b(?:no|unknown)\('(\w+)'/g)].map(([, name = '']) => name)
  assert.ok(names.length > 10)
  // They point at other conditions, or say that all is well.
  const calm = new Set(['Stalled', 'UpToDate', 'NotStalled'])
  assert.deepEqual(
    names.filter(name => !told.includes(name) && !calm.has(name)),
    []
  )
})

test('docs/operations.md tells every event, every reason of scaling, and what pods can be wrong with', () => {
  const texts = ['status/notes', 'scaling/reason', 'objects/workload', 'reconcile'].map(name =>
    readFileSync(join(root, `operator/${name}.ts`), 'utf8')
  )
  const names = texts.flatMap(text =>
    [...text.matchAll(/(?:\breason: |^ {2}\| )'(\w+)'/gm)].map(([, name = '']) => name)
  )
  assert.ok(names.length > 25)
  assert.deepEqual(
    names.filter(name => !told.includes(name)),
    []
  )
})

test('docs/operations.md tells nothing twice', () => {
  assert.deepEqual(
    told.filter((name, index) => told.indexOf(name) !== index),
    []
  )
})
