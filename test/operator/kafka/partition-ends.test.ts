import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ListedOffsets, WantedOffset } from '../../../operator/kafka/end-offsets.ts'
import { PartitionEnds } from '../../../operator/kafka/partition-ends.ts'

type Leaders = Readonly<Record<string, readonly number[]>>

/** Each look gives the next of these clusters, the last one for ever. */
function given(looks: readonly [Leaders, ...Leaders[]], answer: (leader: number) => 'silent' | number) {
  const state = { looks: 0, stale: 0 }
  const directory = {
    look: async () => {
      const leaders = new Map(Object.entries(looks[Math.min(state.looks++, looks.length - 1)] ?? {}))
      return { names: [...leaders.keys()], leaders, refused: new Set<string>() }
    },
    markStale: () => {
      state.stale++
    }
  }
  const of = async (leader: number, wanted: readonly WantedOffset[]): Promise<ListedOffsets> => {
    const told = answer(leader)
    if (told === 'silent') throw new Error(`broker ${leader} is silent`)
    return wanted.map(({ timestamp }) => ({ errorCode: told, offset: timestamp === -2 ? 1 : leader * 10 }))
  }
  const ends = new PartitionEnds(directory, { of })
  const bounds = async (topics: readonly string[]) => {
    const found = await ends.bounds(await ends.place(topics))
    return { starts: Object.fromEntries(found.starts.found), ends: Object.fromEntries(found.ends.found) }
  }
  return { state, bounds }
}

test('each partition is asked for at its leader', async () => {
  const { bounds, state } = given([{ a: [1, 2], b: [2] }], () => 0)
  assert.deepEqual(await bounds(['a', 'b']), {
    starts: { 'a/0': 1, 'a/1': 1, 'b/0': 1 },
    ends: { 'a/0': 10, 'a/1': 20, 'b/0': 20 }
  })
  assert.equal(state.stale, 0)
})

test('of a broker that is silent the partitions are unknown, those of others are not', async () => {
  const { bounds, state } = given([{ a: [1, 2, 3] }], leader => (leader === 2 ? 'silent' : 0))
  assert.deepEqual((await bounds(['a'])).ends, { 'a/0': 10, 'a/2': 30 })
  assert.ok(state.stale > 0)
})

test('a partition without a leader is unknown', async () => {
  const { bounds } = given([{ a: [1, -1] }], () => 0)
  assert.deepEqual(await bounds(['a']), { starts: { 'a/0': 1 }, ends: { 'a/0': 10 } })
})

test('a partition that has moved is asked for at its new leader, at once', async () => {
  const { bounds } = given([{ a: [1, 2] }, { a: [1, 3] }], leader => (leader === 2 ? 6 : 0))
  assert.deepEqual((await bounds(['a'])).ends, { 'a/0': 10, 'a/1': 30 })
})

test('when no leader of all answers it is an error', async () => {
  const { bounds } = given([{ a: [1, 2] }], () => 'silent')
  await assert.rejects(bounds(['a']), /is silent/)
})

test('a topic that is gone has nothing', async () => {
  const { bounds } = given([{}], () => 0)
  assert.deepEqual(await bounds(['a']), { starts: {}, ends: {} })
})
