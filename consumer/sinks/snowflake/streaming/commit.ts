import { RetryableError, invariant } from '../../../../lib/errors.ts'
import type { Log } from '../../../../lib/log.ts'
import type { CommitAuthor, CommitOutcome, Staged } from '../../../sink.ts'
import type { PartitionId } from '../../../partition.ts'
import { formatKey } from '../../offset-key.ts'
import { append, type AttemptPorts, type Ready } from './attempt.ts'
import type { Hold, Holds } from './holds.ts'
import { isPin, jobsOf, type Job } from './jobs.ts'
import { channelName } from './names.ts'
import { decide, type Decision, type Position } from './position.ts'
import type { Pipe } from './service.ts'
import { parseToken } from './token.ts'

export interface CommitPorts extends AttemptPorts {
  readonly holds: Holds
  readonly mainPipe: Pipe
  readonly log: Log
  /** Columns that the table has, as of now, in upper case. */
  readonly columns: ReadonlySet<string>
  readonly limits: CommitLimits
}

export interface CommitLimits {
  readonly commitMs: number
  /** How long whoever took a key from us is left alone to move it. */
  readonly politeMs: number
  /** Takings of a key in one commit. */
  readonly attempts: number
}

/** Asked for as often as commits of others take effect. */
const POLITE_LOOK_MS = 500

type Outcome = Extract<CommitOutcome, { status: 'fenced' }>

/** One commit of staged batches, key by key: each is in whole or not at all, and none before all are where they are expected. */
export class StreamingCommit {
  readonly #ports: CommitPorts
  readonly #jobs: ReadonlyMap<string, Job>
  readonly #commitId: string
  /** Under which we have appended. */
  readonly #writeIds = new Set<string>()
  readonly #left: Set<string>

  constructor(staged: readonly Staged[], ports: CommitPorts) {
    this.#ports = ports
    this.#jobs = jobsOf(staged)
    this.#commitId = staged.at(-1)?.commitId ?? ''
    this.#left = new Set(this.#jobs.keys())
  }

  async run(): Promise<CommitOutcome> {
    const { holds, limits, log, table } = this.#ports
    const pinned = await this.#pin()
    if (pinned !== undefined) return pinned
    const early = await this.#look([...this.#left].filter(key => !this.#isHeld(key)))
    if (early !== undefined) return early
    for (let attempt = 1; attempt <= limits.attempts; attempt++) {
      const contended = new Set(await this.#take())
      const decided = this.#decide(contended)
      if (decided !== undefined) return decided
      const ready = [...this.#left].flatMap(key => (contended.has(key) ? [] : [this.#ready(key)]))
      for (const { hold } of ready) this.#writeIds.add(hold.writeId)
      for (const [{ job, hold }, result] of await append(ready, this.#commitId, this.#ports)) {
        const key = formatKey(hold.key)
        if (result === 'committed') this.#left.delete(key)
        else holds.drop(key)
        if (result === 'stale') contended.add(key)
        if (result !== 'committed') log.warn('a channel must be opened anew', { table, partition: job.id, why: result })
      }
      if (this.#left.size === 0) return { status: 'committed', version: this.#commitId }
      if (contended.size > 0) {
        const fenced = await this.#wait([...contended])
        if (fenced !== undefined) return fenced
      }
    }
    throw new RetryableError('ChannelContention', `others keep opening ${this.#left.size} channels of ${table}`)
  }

  /** Whether nothing need be asked about the key before appending. */
  #isHeld(key: string): boolean {
    const hold = this.#ports.holds.get(key)
    const job = this.#job(key)
    return hold?.isClean === true && hold.position.next === job.wanted.expected && job.columns.isSubsetOf(hold.columns)
  }

  async #take(): Promise<readonly string[]> {
    const keys = [...this.#left].filter(key => !this.#isHeld(key)).map(key => this.#job(key).key)
    return keys.length === 0 ? [] : await this.#ports.holds.take(keys, this.#ports.columns)
  }

  /** Takes out what is in already. Gives an outcome when not all of the rest may go on. */
  #decide(contended: ReadonlySet<string>): Outcome | undefined {
    const fenced: (readonly [Job, Position])[] = []
    for (const key of this.#left) {
      if (contended.has(key)) continue
      const { job, hold } = this.#ready(key)
      const decision = this.#decision(job, hold.position)
      if (decision === 'done') this.#left.delete(key)
      if (decision === 'partly') {
        this.#ports.holds.drop(key)
        throw new RetryableError('PartlyCommitted', `part of a commit of ${job.id} is in ${this.#ports.table}`)
      }
      if (decision === 'fenced') fenced.push([job, hold.position])
    }
    return outcomeOf(fenced)
  }

  #decision(job: Job, position: Position): Decision {
    return decide(job.wanted, position, this.#writeIds)
  }

  /** Keys that nobody has begun: no channel is opened for a beginning alone. */
  async #pin(): Promise<CommitOutcome | undefined> {
    const jobs = [...this.#jobs.values()]
    if (!jobs.every(isPin)) return undefined
    const moves = jobs.map(({ key, wanted }) => ({ key, ...wanted, deadLetters: 0 }))
    const there = await this.#ports.ledger.pin(moves, this.#commitId)
    if (there.length === 0) return { status: 'committed', version: this.#commitId }
    const begun = there.filter(({ nextOffset }) => nextOffset !== undefined)
    return outcomeOf(
      begun.map(({ key, author, nextOffset: next }) => [
        this.#job(formatKey(key)),
        { next, by: author, token: undefined }
      ])
    )
  }

  /** What channels say without being opened: a zombie should not disturb those who write them now. */
  async #look(keys: readonly string[]): Promise<Outcome | undefined> {
    if (keys.length === 0) return undefined
    const { service, mainPipe } = this.#ports
    const names = new Map(keys.map(key => [key, channelName(this.#job(key).key)]))
    const states = await service.statuses(mainPipe, [...names.values()])
    const ahead = keys.flatMap(key => {
      const job = this.#job(key)
      const token = parseToken(states.get(names.get(key) ?? '')?.token, names.get(key) ?? '')
      if (token === undefined || this.#writeIds.has(token.writeId)) return []
      // One that is behind tells nothing: the ledger may be ahead of it.
      const isAhead = token.next > (job.wanted.expected ?? -1)
      return isAhead ? [[job, { next: token.next, by: token.author, token }] as const] : []
    })
    return outcomeOf(ahead)
  }

  /** Somebody took these keys from us: what they append is seen soon, and opening their channels would discard it. */
  async #wait(keys: readonly string[]): Promise<Outcome | undefined> {
    const { clock, limits, ledger, holds } = this.#ports
    for (const key of keys) holds.drop(key)
    const takers = await ledger.holders(keys.map(key => this.#job(key).key))
    // Taken by us last: whoever opened the channel came late, and will find that out.
    const others = keys.filter(key => !this.#isOurs(takers.get(key)))
    const untilMs = clock.now() + limits.politeMs * (0.5 + clock.random() / 2)
    while (others.length > 0) {
      const moved = await this.#look(others)
      if (moved !== undefined || clock.now() >= untilMs) return moved
      await clock.sleep(Math.min(POLITE_LOOK_MS, limits.politeMs))
    }
    return undefined
  }

  #isOurs(writeId: string | undefined): boolean {
    return writeId !== undefined && this.#writeIds.has(writeId)
  }

  #job(key: string): Job {
    const job = this.#jobs.get(key)
    invariant(job !== undefined, `${key} is part of the commit`)
    return job
  }

  #ready(key: string): Ready {
    const hold: Hold | undefined = this.#ports.holds.get(key)
    invariant(hold !== undefined, `${key} is held`)
    return { job: this.#job(key), hold }
  }
}

function outcomeOf(moved: readonly (readonly [Job, Position])[]): Outcome | undefined {
  if (moved.length === 0) return undefined
  const partitions: readonly PartitionId[] = [...new Set(moved.map(([{ id }]) => id))]
  const by: CommitAuthor | undefined = moved.map(([, position]) => position.by).find(each => each !== undefined)
  return { status: 'fenced', partitions, by }
}
