import { RetryableError } from '../../lib/errors.ts'
import type { DescribedGroup } from '../group-view.ts'
import { askCoordinator, type GroupAddress } from './coordinator.ts'
import { send } from './internals.ts'
import { protocolError } from './protocol-error.ts'
import { sourceTrouble } from './trouble.ts'

const GROUP_ID_NOT_FOUND = 69
const NON_EMPTY_GROUP = 68
/** UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION: a commit from outside meets members. */
const HAS_MEMBERS = new Set([22, 25])

interface DescribedGroups {
  readonly groups: readonly (DescribedGroup & { readonly errorCode: number })[]
}

interface DeletedGroups {
  readonly results: readonly { readonly errorCode: number }[]
}

interface CommittedOffsets {
  readonly responses: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[]
}

/** The members of a consumer group, and what it holds. Every method throws RetryableError. */
export class ConsumerGroup {
  readonly #address: GroupAddress

  constructor(address: GroupAddress) {
    this.#address = address
  }

  async describe(): Promise<DescribedGroup> {
    const groupIds = [this.#address.groupId]
    const { groups } = await this.#ask<DescribedGroups>('DescribeGroups', { groupIds }, answer =>
      answer.groups.map(({ errorCode }) => errorCode)
    )
    return groups[0] ?? { state: 'Unknown', members: [] }
  }

  async countMembers(): Promise<number> {
    return (await this.describe()).members.length
  }

  /** Deletes the group with all its offsets. Absent is fine; RetryableError `GroupInUse` while it has members. */
  async delete(): Promise<void> {
    await this.#ask<DeletedGroups>('DeleteGroups', [this.#address.groupId], ({ results }) =>
      results.map(({ errorCode }) => errorCode).filter(code => code !== GROUP_ID_NOT_FOUND)
    )
  }

  /** Sets offsets, without metadata. RetryableError `GroupInUse` while the group has members. */
  async set(
    offsets: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[]
  ): Promise<void> {
    if (offsets.length === 0) return
    const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([topic, own]) => ({
      topic,
      partitions: own.map(({ partition, offset }) => ({ partition, offset: String(offset), metadata: '' }))
    }))
    const body = { groupId: this.#address.groupId, groupGenerationId: -1, memberId: '', topics }
    await this.#ask<CommittedOffsets>('OffsetCommit', body, ({ responses }) =>
      responses.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
    )
  }

  async #ask<Answer>(
    api: 'DescribeGroups' | 'DeleteGroups' | 'OffsetCommit',
    body: object,
    codesOf: (answer: Answer) => readonly number[]
  ): Promise<Answer> {
    try {
      const answer = await askCoordinator(
        this.#address,
        async broker => (await send(broker, api, body)) as Answer,
        codesOf
      )
      const code = codesOf(answer).find(code => code !== 0)
      if (code === undefined) return answer
      if (code === NON_EMPTY_GROUP || HAS_MEMBERS.has(code)) {
        throw new RetryableError(
          'GroupInUse',
          `the group ${this.#address.groupId} has members: stop the consumers first`
        )
      }
      throw protocolError(code)
    } catch (error) {
      throw sourceTrouble(error)
    }
  }
}
