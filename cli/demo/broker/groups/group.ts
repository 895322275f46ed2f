import { randomUUID } from 'node:crypto'
import { ERROR } from '../wire/error-codes.ts'
import { type Identity, Roster } from './roster.ts'
import { hasCommon, selectProtocol } from './protocol-choice.ts'
import {
  type JoinAnswer,
  type JoinRequest,
  type Member,
  offersTheSame,
  refusedJoin,
  refusedSync,
  type SyncAnswer,
  type SyncRequest
} from './member.ts'

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

/** One group under the classic protocol: who is in it, in which generation, and the rebalance between two of them. */
export class Group {
  state: GroupState = 'Empty'
  generationId = 0
  protocolType: string | null = null
  protocolName: string | null = null
  leader = ''
  #roster = new Roster()
  /** Members that know their id and have not yet joined with it. */
  #pending = new Map<string, NodeJS.Timeout>()
  #rebalance: NodeJS.Timeout | undefined

  get members(): ReadonlyMap<string, Member> {
    return this.#roster.members
  }

  /** Answers when the rebalance is complete, or at once when there is none to wait for. */
  join(request: JoinRequest): Promise<JoinAnswer> {
    return new Promise(answer => this.#join(request, answer))
  }

  /** Answers when the leader has sent the assignment. */
  sync(request: SyncRequest): Promise<SyncAnswer> {
    return new Promise(answer => this.#sync(request, answer))
  }

  heartbeat(identity: Identity, generationId: number): number {
    const errorCode =
      this.#roster.check(identity) || (generationId === this.generationId ? 0 : ERROR.ILLEGAL_GENERATION)
    if (errorCode !== ERROR.NONE) return errorCode
    this.#touch(this.members.get(identity.memberId) as Member)
    return this.state === 'PreparingRebalance' ? ERROR.REBALANCE_IN_PROGRESS : ERROR.NONE
  }

  /** A static member may be removed by its instance id alone. */
  leave({ memberId, groupInstanceId }: Identity): number {
    if (this.#forgetPending(memberId)) return ERROR.NONE
    const id = memberId === '' && groupInstanceId !== null ? (this.#roster.instance(groupInstanceId) ?? '') : memberId
    const errorCode = this.#roster.check({ memberId: id, groupInstanceId })
    if (errorCode === ERROR.NONE) this.#remove(this.members.get(id) as Member)
    return errorCode
  }

  /** Whether offsets may be committed under this identity; a generation below 0 is a client outside of the group. */
  checkCommit(identity: Identity, generationId: number): number {
    if (generationId < 0 && identity.memberId === '' && identity.groupInstanceId === null)
      return this.members.size === 0 ? ERROR.NONE : ERROR.UNKNOWN_MEMBER_ID
    const errorCode =
      this.#roster.check(identity) || (generationId === this.generationId ? 0 : ERROR.ILLEGAL_GENERATION)
    if (errorCode !== ERROR.NONE) return errorCode
    this.#touch(this.members.get(identity.memberId) as Member)
    return this.state === 'CompletingRebalance' ? ERROR.REBALANCE_IN_PROGRESS : ERROR.NONE
  }

  /** Ends every timer and every wait. */
  close(): void {
    clearTimeout(this.#rebalance)
    for (const timer of this.#pending.values()) clearTimeout(timer)
    for (const member of this.members.values()) clearTimeout(member.session)
  }

  #join(request: JoinRequest, answer: (answer: JoinAnswer) => void): void {
    const { memberId, groupInstanceId } = request
    if (!this.#isCompatible(request)) return answer(refusedJoin(ERROR.INCONSISTENT_GROUP_PROTOCOL, memberId))
    const staticId = groupInstanceId === null ? undefined : this.#roster.instance(groupInstanceId)
    if (memberId === '') {
      if (staticId !== undefined) return this.#replaceStatic(this.members.get(staticId) as Member, request, answer)
      const newId = `${groupInstanceId ?? request.clientId}-${randomUUID()}`
      if (groupInstanceId !== null || !request.requiresMemberId) return this.#add(newId, request, answer)
      this.#pending.set(
        newId,
        setTimeout(() => this.#forgetPending(newId), request.sessionTimeoutMs)
      )
      return answer(refusedJoin(ERROR.MEMBER_ID_REQUIRED, newId))
    }
    if (this.#pending.has(memberId)) {
      clearTimeout(this.#pending.get(memberId))
      this.#pending.delete(memberId)
      return this.#add(memberId, request, answer)
    }
    const errorCode = this.#roster.check(request)
    if (errorCode !== ERROR.NONE) return answer(refusedJoin(errorCode, memberId))
    this.#rejoin(this.members.get(memberId) as Member, request, answer)
  }

  #rejoin(member: Member, request: JoinRequest, answer: (answer: JoinAnswer) => void): void {
    const isSame = offersTheSame(member, request.protocols)
    const isLeader = member.memberId === this.leader
    const isRetry = isSame && (this.state === 'CompletingRebalance' || (this.state === 'Stable' && !isLeader))
    this.#update(member, request)
    if (isRetry) return answer(this.#joined(member))
    member.join?.(refusedJoin(ERROR.UNKNOWN_MEMBER_ID, member.memberId))
    member.join = answer
    this.#prepareRebalance()
  }

  #add(memberId: string, request: JoinRequest, answer: (answer: JoinAnswer) => void): void {
    const { groupInstanceId, clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocols } = request
    this.#roster.add({
      memberId,
      groupInstanceId,
      clientId,
      clientHost,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      protocols,
      assignment: Buffer.alloc(0),
      join: answer,
      sync: undefined,
      session: undefined
    })
    if (this.leader === '') this.leader = memberId
    this.protocolType = request.protocolType
    this.#prepareRebalance()
  }

  /** A static member is back under a new id: no rebalance when nothing changes by it (KIP-345), and the old is fenced. */
  #replaceStatic(member: Member, request: JoinRequest, answer: (answer: JoinAnswer) => void): void {
    const oldLeader = this.leader
    const oldId = member.memberId
    member.join?.(refusedJoin(ERROR.FENCED_INSTANCE_ID, oldId))
    member.sync?.(refusedSync(ERROR.FENCED_INSTANCE_ID))
    member.join = undefined
    member.sync = undefined
    this.#roster.rename(member, `${member.groupInstanceId}-${randomUUID()}`)
    if (oldLeader === oldId) this.leader = member.memberId
    this.#update(member, request)
    if (this.state === 'Stable' && this.#selectProtocol() === this.protocolName) {
      const joined = this.#joined(member)
      // An older client must not take itself for the leader: its assignment would not be spread in a stable group.
      if (!request.supportsSkip) return answer({ ...joined, leader: oldLeader, members: [] })
      return answer({ ...joined, skipAssignment: member.memberId === this.leader })
    }
    member.join = answer
    this.#prepareRebalance()
  }

  #update(member: Member, request: JoinRequest): void {
    member.clientId = request.clientId
    member.clientHost = request.clientHost
    member.sessionTimeoutMs = request.sessionTimeoutMs
    member.rebalanceTimeoutMs = request.rebalanceTimeoutMs
    member.protocols = request.protocols
    this.#touch(member)
  }

  #prepareRebalance(): void {
    if (this.state !== 'PreparingRebalance') {
      for (const member of this.members.values()) {
        member.assignment = Buffer.alloc(0)
        member.sync?.(refusedSync(ERROR.REBALANCE_IN_PROGRESS))
        member.sync = undefined
      }
      this.state = 'PreparingRebalance'
      this.#startTimer(() => this.#completeJoin())
    }
    this.#completeWhenAllJoined()
  }

  #completeWhenAllJoined(): void {
    if (this.state !== 'PreparingRebalance' || this.#pending.size > 0) return
    if ([...this.members.values()].every(member => member.join !== undefined)) this.#completeJoin()
  }

  /** All have joined, or time is up: dynamic members that did not come are out, static ones stay till their session ends. */
  #completeJoin(): void {
    clearTimeout(this.#rebalance)
    for (const member of this.members.values())
      if (member.join === undefined && member.groupInstanceId === null) this.#forget(member)
    const joined = [...this.members.values()].filter(member => member.join !== undefined)
    if (this.members.size > 0 && joined.length === 0) return this.#startTimer(() => this.#completeJoin())
    this.generationId++
    if (joined.length === 0) {
      this.state = 'Empty'
      this.protocolName = null
      this.leader = ''
      return
    }
    if (this.members.get(this.leader)?.join === undefined) this.leader = (joined[0] as Member).memberId
    this.protocolName = this.#selectProtocol()
    this.state = 'CompletingRebalance'
    this.#startTimer(() => this.#removeUnsynced())
    for (const member of this.members.values()) {
      const answer = member.join
      member.join = undefined
      this.#touch(member)
      answer?.(this.#joined(member))
    }
  }

  #sync(request: SyncRequest, answer: (answer: SyncAnswer) => void): void {
    const { protocolType, protocolName } = request
    const isConsistent =
      (protocolType ?? this.protocolType) === this.protocolType &&
      (protocolName ?? this.protocolName) === this.protocolName
    const errorCode =
      this.#roster.check(request) ||
      (request.generationId === this.generationId ? 0 : ERROR.ILLEGAL_GENERATION) ||
      (isConsistent ? 0 : ERROR.INCONSISTENT_GROUP_PROTOCOL) ||
      (this.state === 'PreparingRebalance' ? ERROR.REBALANCE_IN_PROGRESS : 0)
    if (errorCode !== ERROR.NONE) return answer(refusedSync(errorCode))
    const member = this.members.get(request.memberId) as Member
    this.#touch(member)
    if (this.state === 'Stable') return answer(this.#synced(member))
    member.sync?.(refusedSync(ERROR.UNKNOWN_MEMBER_ID))
    member.sync = answer
    if (member.memberId !== this.leader) return
    const assignments = new Map(request.assignments.map(one => [one.memberId, one.assignment]))
    clearTimeout(this.#rebalance)
    this.state = 'Stable'
    for (const one of this.members.values()) {
      // A copy: the request's bytes are not to be kept for it.
      one.assignment = Buffer.from(assignments.get(one.memberId) ?? Buffer.alloc(0))
      one.sync?.(this.#synced(one))
      one.sync = undefined
    }
  }

  /** Those whose SyncGroup has not come within the rebalance timeout are out. */
  #removeUnsynced(): void {
    if (this.state !== 'CompletingRebalance') return
    for (const member of this.members.values()) if (member.sync === undefined) this.#forget(member)
    this.#prepareRebalance()
  }

  #remove(member: Member): void {
    this.#forget(member)
    if (this.state === 'PreparingRebalance') this.#completeWhenAllJoined()
    else this.#prepareRebalance()
  }

  #forget(member: Member): void {
    clearTimeout(member.session)
    member.join?.(refusedJoin(ERROR.UNKNOWN_MEMBER_ID, member.memberId))
    member.sync?.(refusedSync(ERROR.UNKNOWN_MEMBER_ID))
    this.#roster.remove(member)
    if (this.leader === member.memberId) this.leader = this.members.keys().next().value ?? ''
  }

  #forgetPending(memberId: string): boolean {
    clearTimeout(this.#pending.get(memberId))
    const wasPending = this.#pending.delete(memberId)
    if (wasPending) this.#completeWhenAllJoined()
    return wasPending
  }

  /** Begins a member's session anew; while it waits for an answer of ours, it is alive. */
  #touch(member: Member): void {
    clearTimeout(member.session)
    member.session = setTimeout(() => {
      if (member.join !== undefined || member.sync !== undefined) this.#touch(member)
      else this.#remove(member)
    }, member.sessionTimeoutMs)
  }

  #startTimer(due: () => void): void {
    clearTimeout(this.#rebalance)
    const timeouts = [...this.members.values()].map(member => member.rebalanceTimeoutMs)
    this.#rebalance = setTimeout(due, Math.max(0, ...timeouts))
  }

  #isCompatible({ memberId, protocolType, protocols }: JoinRequest): boolean {
    if (protocols.length === 0 || protocolType === '') return false
    const others = [...this.members.values()].filter(member => member.memberId !== memberId)
    return others.length === 0 || (protocolType === this.protocolType && hasCommon(others, protocols))
  }

  #selectProtocol(): string | null {
    return selectProtocol([...this.members.values()])
  }

  #joined({ memberId }: Member): JoinAnswer {
    const { generationId, protocolType, protocolName, leader } = this
    const members = memberId === leader ? this.#roster.describe(protocolName) : []
    return { errorCode: 0, generationId, protocolType, protocolName, leader, skipAssignment: false, memberId, members }
  }

  #synced({ assignment }: Member): SyncAnswer {
    return { errorCode: 0, protocolType: this.protocolType, protocolName: this.protocolName, assignment }
  }
}
