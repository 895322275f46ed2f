import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importsOf } from './imports.ts'
import { faults } from './rules.ts'

const file = (path: string, text: string) => ({ path, text })

test('imports are read across lines, with types told apart', () => {
  const text = `import { readFile } from 'node:fs/promises'
import type { A, B } from '../lib/log.ts'
import type { C } from './c.ts'
import { type D, e } from '@scope/name/sub.js'
import './effect.ts'
export { f } from 'plain/sub'
const g = await import('./g.ts')
`
  assert.deepEqual(
    importsOf(file('crds/x.ts', text)).map(({ target, isTypeOnly }) => `${target}${isTypeOnly ? ' (types)' : ''}`),
    [
      'node:fs/promises',
      'lib/log.ts (types)',
      'crds/c.ts (types)',
      '@scope/name',
      'crds/effect.ts',
      'plain',
      'crds/g.ts'
    ]
  )
})

const good: readonly (readonly [path: string, text: string])[] = [
  ['consumer/a.ts', `import { x } from '../lib/x.ts'\nimport { y } from '../crds/y.ts'`],
  ['cli/a.ts', `import { x } from '../consumer/x.ts'`],
  ['test/a.ts', `import { x } from '../operator/x.ts'\nimport { y } from '../cli/y.ts'`],
  [
    'consumer/sinks/delta/a.ts',
    `import { x } from './b.ts'\nimport { y } from '../../store/object-store.ts'`.replace('{ y }', '{ type Y }')
  ],
  [
    'consumer/decode/a.ts',
    `import { type Clock } from '../../lib/clock.ts'\n// Date.now is not called\nconst ms = new Date(0)`
  ],
  ['consumer/sinks/delta/sink.ts', `const now = Date.now()`],
  ['test/integration/a.test.ts', `test('x', need('kafka'), () => {})`],
  ['lib/a.ts', `// oxlint-disable-next-line no-console -- it is the log`]
]
for (const [path, text] of good) {
  test(`${path} may say ${JSON.stringify(text)}`, () => assert.deepEqual(faults([file(path, text)]), []))
}

const bad: readonly (readonly [path: string, text: string, fault: RegExp])[] = [
  ['consumer/a.ts', `import { x } from '../operator/x.ts'`, /may not import operator/],
  ['operator/a.ts', `import { type X } from '../consumer/x.ts'`, /may not import consumer/],
  ['operator/a.ts', `import { x } from '../cli/x.ts'`, /may not import cli/],
  ['crds/a.ts', `import { x } from '../consumer/x.ts'`, /may not import consumer/],
  ['lib/a.ts', `import { x } from '../crds/x.ts'`, /may not import crds/],
  ['cli/a.ts', `import { x } from '../test/servers/kafka.ts'`, /may not import test/],
  ['bench/a.ts', `import { x } from '../test/fakes/x.ts'`, /may not import test/],
  ['consumer/a.ts', `import { x } from '../deploy/x.ts'`, /may not import deploy/],
  ['consumer/sinks/delta/sink.ts', `import { x } from '../s3/x.ts'`, /may not import consumer\/sinks\/s3/],
  ['consumer/a.ts', `import { x } from './b'`, /without its extension/],
  ['consumer/decode/a.ts', `const t = Date.now()`, /must be pure, but says Date.now/],
  ['consumer/parquet/a.ts', `import { readFile } from 'node:fs/promises'`, /must be pure, but imports node:fs/],
  ['consumer/columns/a.ts', `import { systemClock } from '../../lib/clock.ts'`, /must be pure, but imports lib\/clock/],
  ['consumer/sinks/delta/log.ts', `import { x } from './sink.ts'`, /must be pure, but imports .*sink\.ts/],
  ['consumer/sinks/index.ts', ``, /barrel/],
  ['test/a.test.ts', `test.only('x', () => {})`, /\.only/],
  ['lib/a.ts', `// oxlint-disable-next-line no-console`, /without a reason/],
  ['test/integration/a.test.ts', `test('x', () => {})`, /needs no server/],
  ['docs/a.md', ['see https://registry', 'npmjs.org/x'].join('.'), /names the place/]
]
for (const [path, text, fault] of bad) {
  test(`${path} may not say ${JSON.stringify(text)}`, () => {
    const found = faults([file(path, text)])
    assert.equal(found.length, 1, found.join('\n'))
    assert.match(found[0] ?? '', fault)
  })
}

test('a client library may be imported from one folder only', () => {
  const text = `import { Kafka } from 'kafkajs'`
  assert.deepEqual(faults([file('operator/kafka/a.ts', text), file('operator/kafka/b.ts', text)]), [])
  assert.equal(faults([file('operator/kafka/a.ts', text), file('operator/b.ts', text)]).length, 1)
})
