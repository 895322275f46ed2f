import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topicPattern } from '../../crds/topic-pattern.ts'
import { pipelineSchema } from '../../crds/schema.ts'
import { Scheduler } from '../simulation/scheduler.ts'

for (const [pattern, matching, others] of [
  ['trips', ['trips'], ['trip', 'trips.a', 'atrips', '']],
  ['trips[.].*', ['trips.', 'trips.yellow'], ['trips', 'tripsx']],
  ['raw\\.[^._]+\\.v\\d+', ['raw.orders.v1', 'raw.a-b.v12'], ['raw.a.b.v1', 'raw.a_b.v1', 'raw.a.v']],
  ['(?:yellow|green)-[a-z0-9]+(-v[0-9]{1,2})?', ['yellow-a', 'green-9-v12'], ['red-a', 'yellow-a-v', 'yellow-a-v123']],
  ['a{2}|b{2,}|c{0,2}', ['aa', 'bb', 'bbbb', '', 'c', 'cc'], ['a', 'aaa', 'b', 'ccc']],
  ['[a-c-]x?', ['a', 'b-'.slice(0, 1), '-', '-x', 'cx'], ['d', 'ax-']],
  ['()', [''], ['a']]
] as const) {
  test(`${pattern} matches whole names`, () => {
    const matches = topicPattern(pattern)
    for (const name of matching) assert.ok(matches(name), name)
    for (const name of others) assert.ok(!matches(name), name)
  })
}

test('what a regular expression of JavaScript matches, and nothing else', () => {
  const allowed = new RegExp(
    pipelineSchema.properties!['spec']!.properties!['topics']!.items!.properties!['pattern']!.pattern!,
    'u'
  )
  const pieces = [
    'a',
    'b',
    '.',
    '-',
    '\\d',
    '\\W',
    '[ab]',
    '[^a-c]',
    '[b-]',
    '*',
    '+',
    '?',
    '{2}',
    '{1,}',
    '{0,2}',
    '(',
    '(?:',
    ')',
    ')?',
    '|'
  ]
  const { random } = new Scheduler(1)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  let compared = 0
  let matched = 0
  while (compared < 20_000) {
    const pattern = Array.from({ length: 1 + Math.floor(random() * 8) }, () => pick(pieces)).join('')
    const expected = compiled(pattern)
    if (!allowed.test(pattern) || !expected) continue
    const matches = topicPattern(pattern)
    for (let round = 0; round < 8; round++, compared++) {
      const name = Array.from({ length: Math.floor(random() * 6) }, () => pick(['a', 'b', 'c', '.', '-', '1'])).join('')
      assert.equal(matches(name), expected.test(name), `${pattern} on ${JSON.stringify(name)}`)
      if (matches(name)) matched++
    }
  }
  assert.ok(matched > 1000, `${matched} matched`)
})

test('patterns that keep a backtracking engine busy for ever are answered', () => {
  const name = 'a'.repeat(249)
  assert.equal(topicPattern('(a|a)'.repeat(48) + 'b')(name), false)
  assert.equal(topicPattern('a?'.repeat(120) + 'b')(name), false)
  assert.equal(topicPattern('.*'.repeat(100) + 'b')(name), false)
  assert.equal(topicPattern('a{0,99}'.repeat(35))(name), true)
})

function compiled(pattern: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${new RegExp(pattern, 'u').source})$`, 'u')
  } catch {
    return undefined
  }
}
