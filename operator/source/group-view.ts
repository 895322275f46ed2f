import { consumerName } from '../objects/names.ts'

/** A member of the group that is none of our consumers. */
export interface ForeignMember {
  readonly clientId: string
  /** Address that it reads from. */
  readonly host: string
}

/** What a group's coordinator says of it. */
export interface GroupView {
  /** Dead: the coordinator knows no such group. Unknown: it uses a protocol that could not be asked about. */
  readonly state: 'Stable' | 'PreparingRebalance' | 'CompletingRebalance' | 'Empty' | 'Dead' | 'Unknown'
  readonly members: number
  readonly foreignMembers: number
  /** The first few of them, by name. */
  readonly foreign?: readonly ForeignMember[]
}

/** As DescribeGroups gives it. */
export interface DescribedGroup {
  readonly state: string
  readonly members: readonly { readonly clientId: string; readonly clientHost: string }[]
}

/** Those of the consumer protocol (KIP-848) beside those of the classic one. */
const STATES: Readonly<Record<string, GroupView['state']>> = {
  Stable: 'Stable',
  PreparingRebalance: 'PreparingRebalance',
  CompletingRebalance: 'CompletingRebalance',
  Assigning: 'PreparingRebalance',
  Reconciling: 'CompletingRebalance',
  Empty: 'Empty',
  Dead: 'Dead'
}
const NAMED_AT_MOST = 3

export function groupView({ state, members }: DescribedGroup, isOwn: (clientId: string) => boolean): GroupView {
  const foreign = members.filter(({ clientId }) => !isOwn(clientId))
  const named = foreign.map(({ clientId, clientHost }) => ({ clientId, host: clientHost.replace(/^\//, '') }))
  return {
    state: STATES[state] ?? 'Unknown',
    members: members.length,
    foreignMembers: foreign.length,
    foreign: named.toSorted(byName).slice(0, NAMED_AT_MOST)
  }
}

const byName = (a: ForeignMember, b: ForeignMember) => (`${a.clientId} ${a.host}` < `${b.clientId} ${b.host}` ? -1 : 1)

/** Longest beginning of a name that the cluster completes with five characters (`generateName`). */
const MAX_GENERATED_FROM = 58

/**
 * Whether a client's name is that of a pod of this pipeline: consumers call themselves what their pod is called. By the
 * form of the name, not by the pods there are: a pod that is gone stays a member until its session ends.
 */
export function podsOf(pipeline: string): (clientId: string) => boolean {
  const whole = `${consumerName(pipeline)}-`
  const start = whole.slice(0, MAX_GENERATED_FROM)
  return clientId => {
    if (!clientId.startsWith(start)) return false
    const rest = clientId.slice(start.length)
    // Deployments give a hash and five characters, StatefulSets a number; of a long name only the characters are left.
    return start === whole && start.length + 11 <= MAX_GENERATED_FROM
      ? /^(?:[a-z0-9]{1,10}-[a-z0-9]{5}|\d{1,5})$/.test(rest)
      : /^[a-z0-9-]{1,16}$/.test(rest)
  }
}
