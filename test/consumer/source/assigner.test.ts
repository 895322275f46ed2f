import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AssignableMember, type TopicPartition, assign } from '../../../consumer/source/assigner.ts'

type Dealt = ReadonlyMap<string, readonly TopicPartition[]>

const member = (
  memberId: string,
  topics: readonly string[],
  owned: readonly TopicPartition[] = [],
  generation = 1
): AssignableMember => ({
  memberId,
  topics: new Set(topics),
  owned,
  generation
})

const keys = (partitions: readonly TopicPartition[] | undefined): string[] =>
  (partitions ?? []).map(({ topic, partition }) => `${topic}-${partition}`).sort()

const sizes = (dealt: Dealt): number[] => [...dealt.values()].map(({ length }) => length).sort((a, b) => a - b)

/** Every partition that somebody reads has exactly one owner, who reads its topic. */
function assertComplete(dealt: Dealt, members: readonly AssignableMember[], counts: ReadonlyMap<string, number>): void {
  const owners = new Map<string, string>()
  for (const [memberId, partitions] of dealt) {
    const topics = members.find(candidate => candidate.memberId === memberId)?.topics
    for (const { topic, partition } of partitions) {
      assert.ok(topics?.has(topic), `${memberId} does not read ${topic}`)
      assert.ok(partition < (counts.get(topic) ?? 0))
      assert.equal(owners.get(`${topic}-${partition}`), undefined)
      owners.set(`${topic}-${partition}`, memberId)
    }
  }
  for (const [topic, count] of counts) {
    const isRead = members.some(({ topics }) => topics.has(topic))
    for (let partition = 0; partition < count; partition++) assert.equal(owners.has(`${topic}-${partition}`), isRead)
  }
}

test('a first deal is even, and a busy topic is spread', () => {
  const counts = new Map([
    ['busy', 4],
    ['quiet', 4]
  ])
  const dealt = assign([member('a', ['busy', 'quiet']), member('b', ['busy', 'quiet'])], counts)
  assert.deepEqual(sizes(dealt), [4, 4])
  for (const partitions of dealt.values()) assert.equal(partitions.filter(({ topic }) => topic === 'busy').length, 2)
})

test('a member that joins takes only its share; the others keep what is left', () => {
  const counts = new Map([['t', 6]])
  const before = assign([member('a', ['t']), member('b', ['t'])], counts)
  const after = assign(
    [member('a', ['t'], before.get('a')), member('b', ['t'], before.get('b')), member('c', ['t'])],
    counts
  )
  assert.deepEqual(sizes(after), [2, 2, 2])
  for (const id of ['a', 'b']) for (const key of keys(after.get(id))) assert.ok(keys(before.get(id)).includes(key))
})

test('what a member leaves behind is dealt; nothing else moves', () => {
  const counts = new Map([['t', 6]])
  const before = assign(
    ['a', 'b', 'c'].map(id => member(id, ['t'])),
    counts
  )
  const after = assign(
    ['a', 'b'].map(id => member(id, ['t'], before.get(id))),
    counts
  )
  for (const id of ['a', 'b']) for (const key of keys(before.get(id))) assert.ok(keys(after.get(id)).includes(key))
})

test('of two claims to a partition the younger generation counts', () => {
  const claim = [{ topic: 't', partition: 0 }]
  const dealt = assign([member('old', ['t'], claim, 4), member('young', ['t'], claim, 5)], new Map([['t', 1]]))
  assert.deepEqual(keys(dealt.get('young')), ['t-0'])
})

test('members that read other topics get only those, and the rest evens out', () => {
  const members = [member('a', ['x', 'y']), member('b', ['x']), member('c', ['y'])]
  const counts = new Map([
    ['x', 3],
    ['y', 3],
    ['nobody', 2]
  ])
  const dealt = assign(members, counts)
  assertComplete(dealt, members, counts)
  assert.deepEqual(sizes(dealt), [2, 2, 2])
})

test('more members than partitions leaves some with none', () => {
  assert.deepEqual(
    sizes(
      assign(
        ['a', 'b', 'c'].map(id => member(id, ['t'])),
        new Map([['t', 2]])
      )
    ),
    [0, 1, 1]
  )
})

test('any history of joins, leaves, growth and topic sets deals completely, evenly, stably and alike', () => {
  let seed = 7
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  for (let run = 0; run < 150; run++) {
    const topics = Array.from({ length: 1 + random(5) }, (_, index) => `t${index}`)
    const isUniform = random(2) === 0
    let counts = new Map(topics.map(topic => [topic, 1 + random(8)]))
    let members = [member('m0', topics)]
    for (let generation = 1; generation < 8; generation++) {
      if (random(3) > 0) {
        const some = topics.filter(() => isUniform || random(3) > 0)
        members.push(member(`m${run}-${generation}`, some))
      }
      if (random(3) === 0 && members.length > 1) members.splice(random(members.length), 1)
      if (random(4) === 0) counts = new Map([...counts].map(([topic, count]) => [topic, count + random(3)]))
      const dealt = assign(members, counts)
      assertComplete(dealt, members, counts)
      const reversed = assign([...members].reverse(), new Map([...counts].reverse()))
      assert.deepEqual(dealt, reversed, 'the order of arguments matters')
      if (isUniform) assert.ok((sizes(dealt).at(-1) ?? 0) - (sizes(dealt)[0] ?? 0) <= 1, 'balanced within one')
      members = members.map(({ memberId, topics: read }) =>
        member(memberId, [...read], dealt.get(memberId), generation)
      )
      assert.deepEqual(assign(members, counts), dealt, 'nothing moves when nothing has changed')
    }
  }
})
