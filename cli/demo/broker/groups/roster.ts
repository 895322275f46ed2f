import { ERROR } from '../wire/error-codes.ts'
import { type JoinAnswer, type Member, metadataFor } from './member.ts'

export type Identity = { readonly memberId: string; readonly groupInstanceId: string | null }

/** Who is in a group, by member id and, for static members (KIP-345), by instance id. */
export class Roster {
  readonly members = new Map<string, Member>()
  #instances = new Map<string, string>()

  /** The member id that a static member has now. */
  instance(groupInstanceId: string): string | undefined {
    return this.#instances.get(groupInstanceId)
  }

  /** Whether someone is who they say: an error code. */
  check({ memberId, groupInstanceId }: Identity): number {
    if (groupInstanceId !== null) {
      const known = this.#instances.get(groupInstanceId)
      if (known === undefined) return ERROR.UNKNOWN_MEMBER_ID
      if (known !== memberId) return ERROR.FENCED_INSTANCE_ID
    }
    return this.members.has(memberId) ? ERROR.NONE : ERROR.UNKNOWN_MEMBER_ID
  }

  /** What a leader needs to know of each to assign. */
  describe(protocolName: string | null): JoinAnswer['members'] {
    return Array.from(this.members.values(), member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: metadataFor(member, protocolName)
    }))
  }

  add(member: Member): void {
    this.members.set(member.memberId, member)
    if (member.groupInstanceId !== null) this.#instances.set(member.groupInstanceId, member.memberId)
  }

  rename(member: Member, memberId: string): void {
    this.members.delete(member.memberId)
    member.memberId = memberId
    this.add(member)
  }

  remove(member: Member): void {
    this.members.delete(member.memberId)
    if (member.groupInstanceId !== null) this.#instances.delete(member.groupInstanceId)
  }
}
