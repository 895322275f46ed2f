import type { DescribedGroup } from '../source/group-view.ts'
import type { Told } from './coordinators.ts'
import { send, sendNewer, understands, type Broker } from './internals.ts'
import { DESCRIBE_CONSUMER_GROUPS, FETCH_OFFSETS, type FetchedGroup, type OffsetsOfGroup } from './newer-requests.ts'
import { COORDINATOR_MOVES, GROUP_ID_NOT_FOUND } from './protocol-error.ts'

/** Offsets of about 100 bytes each with their reports; members of about a kilobyte. */
export const GROUPS_AT_MOST = { offsets: 200, states: 100 }

/** What groups hold for partitions, of several groups by one request where the broker can (KIP-709). */
export async function fetchOffsets(
  broker: Broker,
  groups: readonly OffsetsOfGroup[]
): Promise<ReadonlyMap<string, Told<FetchedGroup>>> {
  const answers = understands(broker, FETCH_OFFSETS)
    ? await sendNewer(broker, FETCH_OFFSETS, groups)
    : await Promise.all(groups.map(async group => await fetchOld(broker, group)))
  return new Map(answers.map(answer => [answer.groupId, toldOf(answer, answer.errorCode || moved(answer))]))
}

async function fetchOld(broker: Broker, { groupId, topics }: OffsetsOfGroup): Promise<FetchedGroup> {
  return { ...((await send(broker, 'OffsetFetch', { groupId, topics })) as FetchedGroup), groupId }
}

/** Some brokers say it of each partition instead of the group. */
function moved({ responses }: FetchedGroup): number {
  const codes = responses.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  return codes.find(code => COORDINATOR_MOVES.has(code)) ?? 0
}

/** State and members of several groups, of whichever protocol they are. */
export async function describeGroups(
  broker: Broker,
  items: readonly { readonly groupId: string }[]
): Promise<ReadonlyMap<string, Told<DescribedGroup>>> {
  const groupIds = items.map(({ groupId }) => groupId)
  const { groups } = (await send(broker, 'DescribeGroups', { groupIds })) as Described
  const told = new Map(groups.map(group => [group.groupId, toldOf<DescribedGroup>(group, group.errorCode)]))
  const dead = groups.filter(
    ({ errorCode, state }) => errorCode === GROUP_ID_NOT_FOUND || (errorCode === 0 && state === 'Dead')
  )
  for (const { groupId } of dead) told.set(groupId, { answer: { state: 'Dead', members: [] } })
  if (dead.length === 0 || !understands(broker, DESCRIBE_CONSUMER_GROUPS)) return told
  const deadIds = dead.map(({ groupId }) => groupId)
  for (const group of await sendNewer(broker, DESCRIBE_CONSUMER_GROUPS, deadIds)) {
    if (group.errorCode !== GROUP_ID_NOT_FOUND) told.set(group.groupId, toldOf(group, group.errorCode))
  }
  return told
}

interface Described {
  readonly groups: readonly (DescribedGroup & { readonly groupId: string; readonly errorCode: number })[]
}

const toldOf = <Answer>(answer: Answer, errorCode: number): Told<Answer> =>
  errorCode === 0 ? { answer } : { errorCode }
