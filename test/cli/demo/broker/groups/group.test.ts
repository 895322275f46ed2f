import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, test } from 'node:test'
import { Group } from '../../../../../cli/demo/broker/groups/group.ts'
import type { JoinAnswer, JoinRequest } from '../../../../../cli/demo/broker/groups/member.ts'
import { ERROR } from '../../../../../cli/demo/broker/wire/error-codes.ts'

const SESSION_MS = 1000
const REBALANCE_MS = 5000

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }))
afterEach(() => mock.timers.reset())

const request = (more: Partial<JoinRequest> = {}): JoinRequest => ({
  memberId: '',
  groupInstanceId: null,
  clientId: 'client',
  clientHost: '127.0.0.1',
  sessionTimeoutMs: SESSION_MS,
  rebalanceTimeoutMs: REBALANCE_MS,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Buffer.from('topics') }],
  requiresMemberId: false,
  supportsSkip: true,
  ...more
})

const sync = (group: Group, { memberId, generationId }: JoinAnswer, of: Record<string, string> = {}) =>
  group.sync({
    memberId,
    groupInstanceId: null,
    generationId,
    protocolType: 'consumer',
    protocolName: 'range',
    assignments: Object.entries(of).map(([id, text]) => ({ memberId: id, assignment: Buffer.from(text) }))
  })

const beat = (group: Group, { memberId, generationId }: JoinAnswer, groupInstanceId: string | null = null): number =>
  group.heartbeat({ memberId, groupInstanceId }, generationId)

/** A stable group of two: the first is the leader. */
async function pair(second: Partial<JoinRequest> = {}) {
  const group = new Group()
  const early = await group.join(request())
  const joining = group.join(request(second))
  const first = await group.join(request({ memberId: early.memberId }))
  const last = await joining
  const assignment = { [first.memberId]: 'p0', [last.memberId]: 'p1' }
  const waiting = sync(group, last)
  const synced = [await sync(group, first, assignment), await waiting]
  return { group, first, last, synced }
}

test('members of one generation get what their leader has assigned', async () => {
  const { group, first, last, synced } = await pair()
  assert.equal(first.generationId, last.generationId)
  assert.equal(first.leader, first.memberId)
  assert.deepEqual(first.members.map(member => member.memberId).sort(), [first.memberId, last.memberId].sort())
  assert.deepEqual(last.members, [])
  assert.deepEqual(
    synced.map(answer => answer.assignment.toString()),
    ['p0', 'p1']
  )
  assert.equal(group.state, 'Stable')
})

test('a member that is told to learn its id first is not yet in the group', async () => {
  const group = new Group()
  const told = await group.join(request({ requiresMemberId: true }))
  assert.equal(told.errorCode, ERROR.MEMBER_ID_REQUIRED)
  assert.equal(group.members.size, 0)
  const joined = await group.join(request({ memberId: told.memberId, requiresMemberId: true }))
  assert.equal(joined.errorCode, ERROR.NONE)
})

test('a member that stops its heartbeats is removed, and the others are told to rejoin', async () => {
  const { group, first, last } = await pair()
  mock.timers.tick(SESSION_MS - 1)
  assert.equal(beat(group, first), ERROR.NONE)
  mock.timers.tick(1)
  assert.equal(beat(group, first), ERROR.REBALANCE_IN_PROGRESS)
  assert.equal(beat(group, last), ERROR.UNKNOWN_MEMBER_ID)
  assert.deepEqual([...group.members.keys()], [first.memberId])
})

test('a dynamic member that does not rejoin in time is out; those who did go on without it', async () => {
  const { group, first, last } = await pair({ sessionTimeoutMs: 60_000 })
  const rejoining = group.join(request({ memberId: first.memberId }))
  mock.timers.tick(REBALANCE_MS)
  const answer = await rejoining
  assert.equal(answer.generationId, first.generationId + 1)
  assert.equal(beat(group, last), ERROR.UNKNOWN_MEMBER_ID)
})

test('a static member that does not rejoin in time stays until its session ends', async () => {
  const { group, first, last } = await pair({ groupInstanceId: 'slot-1', sessionTimeoutMs: 60_000 })
  const rejoining = group.join(request({ memberId: first.memberId }))
  mock.timers.tick(REBALANCE_MS)
  const answer = await rejoining
  assert.deepEqual(
    answer.members.map(member => member.groupInstanceId),
    [null, 'slot-1']
  )
  assert.ok(group.members.has(last.memberId))
})

test('a member that joins and does not sync in time is out', async () => {
  const group = new Group()
  const first = await group.join(request({ sessionTimeoutMs: 60_000 }))
  mock.timers.tick(REBALANCE_MS)
  assert.equal(group.members.size, 0)
  assert.equal(group.state, 'Empty')
  assert.equal(beat(group, first), ERROR.UNKNOWN_MEMBER_ID)
})

test('a static member comes back under a new id without a rebalance, and its old id is fenced', async () => {
  const { group, last } = await pair({ groupInstanceId: 'slot-1' })
  const back = await group.join(request({ groupInstanceId: 'slot-1' }))
  assert.equal(back.errorCode, ERROR.NONE)
  assert.equal(back.generationId, last.generationId)
  assert.notEqual(back.memberId, last.memberId)
  assert.equal(back.skipAssignment, false)
  const answer = await group.sync({ ...back, groupInstanceId: 'slot-1', assignments: [] })
  assert.equal(answer.assignment.toString(), 'p1')
  assert.equal(beat(group, last, 'slot-1'), ERROR.FENCED_INSTANCE_ID)
  assert.equal(beat(group, back, 'slot-1'), ERROR.NONE)
})

test('a static leader that comes back keeps the assignment: told so, or not told that it leads', async () => {
  for (const supportsSkip of [true, false]) {
    const group = new Group()
    const first = await group.join(request({ groupInstanceId: 'slot-0' }))
    await group.sync({ ...first, groupInstanceId: 'slot-0', assignments: [] })
    const back = await group.join(request({ groupInstanceId: 'slot-0', supportsSkip }))
    assert.equal(back.skipAssignment, supportsSkip)
    assert.equal(back.leader === back.memberId, supportsSkip)
    assert.equal(back.members.length, supportsSkip ? 1 : 0)
  }
})

test('a static member that waits in a join is fenced by its successor', async () => {
  const { group } = await pair({ groupInstanceId: 'slot-1' })
  const changed = [{ name: 'range', metadata: Buffer.from('other topics') }]
  const [, last] = [...group.members.values()]
  const waiting = group.join(request({ memberId: last?.memberId ?? '', groupInstanceId: 'slot-1', protocols: changed }))
  void group.join(request({ groupInstanceId: 'slot-1' }))
  assert.equal((await waiting).errorCode, ERROR.FENCED_INSTANCE_ID)
})

test('the last member to leave empties the group; a static one may be named by its instance alone', async () => {
  const { group, first, last } = await pair({ groupInstanceId: 'slot-1' })
  assert.equal(group.leave({ memberId: 'nobody', groupInstanceId: null }), ERROR.UNKNOWN_MEMBER_ID)
  assert.equal(group.leave({ memberId: first.memberId, groupInstanceId: 'slot-1' }), ERROR.FENCED_INSTANCE_ID)
  assert.equal(group.leave({ memberId: '', groupInstanceId: 'slot-1' }), ERROR.NONE)
  assert.equal(beat(group, last, 'slot-1'), ERROR.UNKNOWN_MEMBER_ID)
  assert.equal(group.leave({ memberId: first.memberId, groupInstanceId: null }), ERROR.NONE)
  assert.equal(group.state, 'Empty')
})

test('offsets are taken from members of this generation, and from outsiders while there are none', async () => {
  const group = new Group()
  const outsider = { memberId: '', groupInstanceId: null }
  assert.equal(group.checkCommit(outsider, -1), ERROR.NONE)
  const joined = await group.join(request())
  const member = { memberId: joined.memberId, groupInstanceId: null }
  assert.equal(group.checkCommit(member, joined.generationId), ERROR.REBALANCE_IN_PROGRESS)
  await sync(group, joined)
  assert.equal(group.checkCommit(member, joined.generationId), ERROR.NONE)
  assert.equal(group.checkCommit(member, joined.generationId - 1), ERROR.ILLEGAL_GENERATION)
  assert.equal(group.checkCommit(outsider, -1), ERROR.UNKNOWN_MEMBER_ID)
})

test('a member without a protocol in common is refused', async () => {
  const { group } = await pair()
  const other = await group.join(request({ protocols: [{ name: 'sticky', metadata: Buffer.alloc(0) }] }))
  assert.equal(other.errorCode, ERROR.INCONSISTENT_GROUP_PROTOCOL)
})
