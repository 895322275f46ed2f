import { RetryableError } from '../../lib/errors.ts'
import type { Coordinators } from './coordinators.ts'
import { describeGroups } from './group-requests.ts'
import { send } from './internals.ts'
import { GROUP_ID_NOT_FOUND, UNKNOWN_SERVER_ERROR } from './protocol-error.ts'
import { sourceTrouble } from './trouble.ts'

const NON_EMPTY_GROUP = 68
/** UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION: a commit from outside meets members. */
const HAS_MEMBERS = new Set([22, 25])

interface DeletedGroups {
  readonly results: readonly { readonly errorCode: number }[]
}

interface CommittedOffsets {
  readonly responses: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[]
}

/** The members of a consumer group, and what it holds. Every method throws RetryableError. */
export class ConsumerGroup {
  readonly #coordinators: Coordinators
  readonly #groupId: string

  constructor(coordinators: Coordinators, groupId: string) {
    this.#coordinators = coordinators
    this.#groupId = groupId
  }

  async countMembers(): Promise<number> {
    const groupId = this.#groupId
    try {
      const described = await this.#coordinators.ask(groupId, async broker => {
        return (await describeGroups(broker, [{ groupId }])).get(groupId) ?? { errorCode: UNKNOWN_SERVER_ERROR }
      })
      return described.members.length
    } catch (error) {
      throw sourceTrouble(error)
    }
  }

  /** Deletes the group with all its offsets. Absent is fine; RetryableError `GroupInUse` while it has members. */
  async delete(): Promise<void> {
    await this.#ask('DeleteGroups', [this.#groupId], answer =>
      (answer as DeletedGroups).results.map(({ errorCode }) => errorCode).filter(code => code !== GROUP_ID_NOT_FOUND)
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
    const body = { groupId: this.#groupId, groupGenerationId: -1, memberId: '', topics }
    await this.#ask('OffsetCommit', body, answer =>
      (answer as CommittedOffsets).responses.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
    )
  }

  async #ask(
    api: 'DeleteGroups' | 'OffsetCommit',
    body: object,
    codesOf: (answer: unknown) => readonly number[]
  ): Promise<void> {
    try {
      const code = await this.#coordinators.ask(this.#groupId, async broker => {
        const code = codesOf(await send(broker, api, body)).find(code => code !== 0) ?? 0
        return code === NON_EMPTY_GROUP || HAS_MEMBERS.has(code) || code === 0 ? { answer: code } : { errorCode: code }
      })
      if (code === 0) return
      throw new RetryableError('GroupInUse', `the group ${this.#groupId} has members: stop the consumers first`)
    } catch (error) {
      throw sourceTrouble(error)
    }
  }
}
