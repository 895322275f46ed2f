import { type AssignableMember, assign } from './assigner.ts'
import type { Cluster } from './cluster.ts'
import { type Subscription, encodeAssignment, fingerprintOf } from './subscription.ts'

export interface JoinedMember extends Subscription {
  readonly memberId: string
}

/** The leader's part in a group: deals the partitions of all members' topics, and sees when they have changed since. */
export class Dealer {
  readonly #cluster: Cluster
  #dealt: { readonly topics: readonly string[]; readonly fingerprint: string } | undefined

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async deal(members: readonly JoinedMember[]): Promise<{ memberId: string; assignment: Buffer }[]> {
    const counts = await this.#countPartitions(topicsOf(members))
    const fingerprint = fingerprintOf(counts)
    const assignable = members.map((member): AssignableMember => ({ ...member, topics: new Set(member.topics) }))
    return [...assign(assignable, counts)].map(([memberId, partitions]) => ({
      memberId,
      assignment: encodeAssignment({ partitions, fingerprint })
    }))
  }

  /** What the group has now, by whomever it was dealt; undefined for who does not lead it. */
  remember(deal: { readonly members: readonly JoinedMember[]; readonly fingerprint: string } | undefined): void {
    this.#dealt = deal && { topics: topicsOf(deal.members), fingerprint: deal.fingerprint }
  }

  /** Whether partitions have appeared or gone since the last deal; false for who does not lead. */
  async isOutdated(): Promise<boolean> {
    const dealt = this.#dealt
    if (dealt === undefined) return false
    const fingerprint = fingerprintOf(await this.#countPartitions(dealt.topics))
    return this.#dealt === dealt && fingerprint !== dealt.fingerprint
  }

  async #countPartitions(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (topics.length === 0) return new Map()
    const described = await this.#cluster.describe(topics)
    return new Map([...described].map(([name, { partitions }]) => [name, partitions.length]))
  }
}

const topicsOf = (members: readonly JoinedMember[]): string[] => [...new Set(members.flatMap(({ topics }) => topics))]
