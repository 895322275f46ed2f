import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatHolding, parseHolding, type Mark } from '../../../../../consumer/sinks/snowflake/streaming/mark.ts'
import { channelName } from '../../../../../consumer/sinks/snowflake/streaming/names.ts'
import {
  checkRefusals,
  decide,
  positionOf,
  type LedgerEntry,
  type Sight
} from '../../../../../consumer/sinks/snowflake/streaming/position.ts'
import type { ChannelState } from '../../../../../consumer/sinks/snowflake/streaming/service.ts'
import { formatToken, parseToken } from '../../../../../consumer/sinks/snowflake/streaming/token.ts'
import { isFatal } from '../../../../fakes/failures.ts'

const KEY = { topic: 'orders', topicId: 'bm90LWEtcmVhbC10b3BpYw', epoch: 0, partition: 3 }
const AUTHOR = { pipeline: 'lake/one', createdAt: '2026-11-21T10:00:00Z', consumerId: 'one-0' }

const tokenAt = (next: number, writeId = 'aa') => formatToken({ next, writeId, commitId: 'cc', author: AUTHOR })

const stateOf = (state: Partial<ChannelState>): ChannelState => ({
  code: 'SUCCESS',
  token: undefined,
  createdOnMs: 7,
  refusedRows: 0,
  refusedUpTo: undefined,
  refusal: undefined,
  ...state
})

const entryOf = (entry: Partial<LedgerEntry>): LedgerEntry => ({
  key: KEY,
  nextOffset: undefined,
  writeId: 'ww',
  mark: undefined,
  author: AUTHOR,
  updatedMs: 0,
  ...entry
})

const sightOf = (sight: Partial<Sight>): Sight => ({
  table: 'bronze.orders',
  ledgerTable: '"L"."B"."ORDERS_BRONZE_OFFSETS"',
  key: KEY,
  channel: channelName(KEY),
  entry: undefined,
  state: undefined,
  ...sight
})

test('a token is read as it was written, whatever its parts hold', () => {
  for (const author of [AUTHOR, { pipeline: 'a~b/%7E é', createdAt: undefined, consumerId: '' }]) {
    const token = { next: 9_007_199_254_740_990, writeId: 'a1', commitId: '12-3', author }
    const text = formatToken(token)
    assert.match(text, /^[!-~]+$/)
    assert.deepEqual(parseToken(text, 'C'), token)
  }
  assert.equal(parseToken(undefined, 'C'), undefined)
  assert.equal(parseToken('', 'C'), undefined)
  assert.deepEqual(parseToken('41', 'C'), { next: 41, writeId: '', commitId: '', author: undefined })
})

test('a token that others wrote is no offset', () => {
  for (const text of ['messages_1.log:20', '-1', '01', '1.5', '12~a', '99999999999999999', '5~a~b~c~d~e~f'])
    assert.throws(() => parseToken(text, 'BRONZE_X'), isFatal('UnknownOffsetToken'))
})

test('a holding is read as it was written, and anything else is held by nobody', () => {
  const marks: Mark[] = [undefined, { createdOnMs: 5, isSettled: false }, { createdOnMs: 5, isSettled: true }]
  for (const mark of marks)
    assert.deepEqual(parseHolding(formatHolding({ writeId: 'w', mark })), { writeId: 'w', mark })
  for (const text of ['', 'what a person wrote', '/x', 'a/1==']) assert.equal(parseHolding(text).writeId, '')
})

test('channels are named in one case, differ where keys do, and stay the same', () => {
  const keys = [KEY, { ...KEY, topic: 'Orders' }, { ...KEY, topicId: 'BM90LWEtcmVhbC10b3BpYw' }, { ...KEY, epoch: 1 }]
  const names = [...keys, { ...KEY, partition: 4 }, { ...KEY, topic: 'ö.'.repeat(120) }].map(channelName)
  assert.equal(new Set(names).size, names.length)
  for (const name of names) assert.match(name, /^BRONZE_[A-Z0-9_]{1,120}$/)
  assert.equal(channelName(KEY), 'BRONZE_ORDERS_3_E0_361EF9608D3ED29259F4F425')
})

const MARK = { createdOnMs: 7, isSettled: false }
const POSITIONS: readonly (readonly [what: string, sight: Partial<Sight>, next: number | undefined])[] = [
  ['a key that is nowhere is nowhere', {}, undefined],
  ['a key that was taken, and no more', { entry: entryOf({}), state: stateOf({}) }, undefined],
  ['a beginning is in the ledger', { entry: entryOf({ nextOffset: 0 }) }, 0],
  [
    'rows are in the token',
    { entry: entryOf({ nextOffset: 5, mark: MARK }), state: stateOf({ token: tokenAt(9) }) },
    9
  ],
  [
    'offsets alone are in the ledger',
    { entry: entryOf({ nextOffset: 12, mark: MARK }), state: stateOf({ token: tokenAt(9) }) },
    12
  ],
  ['a channel that had no rows yet', { entry: entryOf({ nextOffset: 5, mark: MARK }), state: stateOf({}) }, 5],
  [
    'a channel whose age is not told',
    { entry: entryOf({ nextOffset: 5, mark: MARK }), state: stateOf({ createdOnMs: undefined }) },
    5
  ],
  [
    'a channel that is gone, and the ledger knows its end',
    { entry: entryOf({ nextOffset: 30, mark: { ...MARK, isSettled: true } }) },
    30
  ],
  [
    'one that is gone, and we know its end ourselves',
    { entry: entryOf({ nextOffset: 5, mark: MARK }), memory: { writeIds: new Set(['vv', 'ww']), next: 40 } },
    40
  ],
  ['a token without a ledger', { state: stateOf({ token: tokenAt(9) }) }, 9]
]

for (const [what, sight, next] of POSITIONS) {
  test(`how far a key is: ${what}`, () => assert.equal(positionOf(sightOf(sight)).next, next))
}

test('a channel that is gone with its token stops the pipeline, and says what to do', () => {
  const entry = entryOf({ nextOffset: 5, mark: MARK })
  for (const sight of [
    {},
    { state: stateOf({ createdOnMs: 8 }) },
    { memory: { writeIds: new Set(['of another']), next: 40 } }
  ]) {
    assert.throws(
      () => positionOf(sightOf({ entry, ...sight })),
      (error: unknown) => {
        isFatal('OffsetsLost')(error)
        assert.match(String(error), /at least 5.*UPDATE "L"\."B"\."ORDERS_BRONZE_OFFSETS" SET NEXT_OFFSET/)
        return true
      }
    )
  }
})

test('rows that were refused stop the pipeline until somebody has moved the ledger past them', () => {
  const state = stateOf({ token: tokenAt(20), refusedRows: 2, refusedUpTo: tokenAt(15), refusal: "bad 'secret' value" })
  const refused = (nextOffset: number | undefined) => () =>
    checkRefusals(sightOf({ state, entry: entryOf({ nextOffset, mark: MARK }) }))
  for (const next of [undefined, 14]) {
    assert.throws(refused(next), (error: unknown) => {
      isFatal('RowsRefused')(error)
      assert.match(String(error), /2 rows below offset 15 .* bad … value/)
      assert.doesNotMatch(String(error), /secret/)
      return true
    })
  }
  refused(15)()
  assert.throws(() =>
    checkRefusals(sightOf({ state: stateOf({ refusedRows: 1 }), entry: entryOf({ nextOffset: 99 }) }))
  )
  checkRefusals(sightOf({ state: stateOf({ token: tokenAt(20) }) }))
})

const ours = new Set(['mine'])
const at = (next: number, writeId?: string) => ({
  next,
  by: AUTHOR,
  token: writeId === undefined ? undefined : parseToken(tokenAt(next, writeId), 'C')
})

test('what a commit does with a key goes by where it is, and by who brought it there', () => {
  const wanted = { expected: 10, next: 20 }
  assert.equal(decide(wanted, at(10), ours), 'go')
  assert.equal(decide(wanted, at(10, 'theirs'), ours), 'go')
  assert.equal(decide(wanted, at(20, 'mine'), ours), 'done')
  assert.equal(decide(wanted, at(20, 'theirs'), ours), 'fenced')
  assert.equal(decide(wanted, at(15, 'mine'), ours), 'partly')
  assert.equal(decide(wanted, at(15, 'theirs'), ours), 'fenced')
  assert.equal(decide(wanted, at(9), ours), 'fenced')
  assert.equal(
    decide({ expected: undefined, next: 1 }, { next: undefined, by: undefined, token: undefined }, ours),
    'go'
  )
  assert.equal(decide({ expected: undefined, next: 1 }, at(0), ours), 'fenced')
  // A position that this process held before counts as any other.
  assert.equal(decide(wanted, at(10, 'mine'), ours), 'go')
})
