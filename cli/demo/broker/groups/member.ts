/** A protocol a member offers, and what it says under it (its subscription). */
export interface Protocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface JoinRequest {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly Protocol[]
  /** From version 4 on a new member first learns its id, and joins with it (KIP-394). */
  readonly requiresMemberId: boolean
  /** From version 9 on a leader may be told to keep the assignment (KIP-814). */
  readonly supportsSkip: boolean
}

export interface SyncRequest {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { memberId: string; assignment: Buffer }[]
}

export interface JoinAnswer {
  readonly errorCode: number
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  readonly skipAssignment: boolean
  readonly memberId: string
  readonly members: readonly { memberId: string; groupInstanceId: string | null; metadata: Buffer }[]
}

export interface SyncAnswer {
  readonly errorCode: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

/** A member of a group under the classic protocol. */
export interface Member {
  memberId: string
  readonly groupInstanceId: string | null
  clientId: string
  clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: readonly Protocol[]
  assignment: Buffer
  /** Set while its JoinGroup waits for the others. */
  join: ((answer: JoinAnswer) => void) | undefined
  /** Set while its SyncGroup waits for the leader's. */
  sync: ((answer: SyncAnswer) => void) | undefined
  session: NodeJS.Timeout | undefined
}

export const metadataFor = (member: Member, protocolName: string | null): Buffer =>
  member.protocols.find(protocol => protocol.name === protocolName)?.metadata ?? Buffer.alloc(0)

export const offersTheSame = (member: Member, protocols: readonly Protocol[]): boolean =>
  member.protocols.length === protocols.length &&
  member.protocols.every(({ name, metadata }, index) => {
    const other = protocols[index]
    return other !== undefined && other.name === name && other.metadata.equals(metadata)
  })

export const refusedJoin = (errorCode: number, memberId: string): JoinAnswer => ({
  errorCode,
  generationId: -1,
  protocolType: null,
  protocolName: '',
  leader: '',
  skipAssignment: false,
  memberId,
  members: []
})

export const refusedSync = (errorCode: number): SyncAnswer => ({
  errorCode,
  protocolType: null,
  protocolName: null,
  assignment: Buffer.alloc(0)
})
