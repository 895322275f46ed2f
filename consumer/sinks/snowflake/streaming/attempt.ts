import { atOnce } from '../../../../lib/at-once.ts'
import type { Clock } from '../../../../lib/clock.ts'
import { invariant } from '../../../../lib/errors.ts'
import { formatKey } from '../../offset-key.ts'
import type { CommitAuthor } from '../../../sink.ts'
import { confirmed, type Awaited, type WaitLimits } from './confirmation.ts'
import type { HeldChannel, Hold } from './holds.ts'
import type { Job } from './jobs.ts'
import type { StreamingLedger } from './ledger.ts'
import { letterRequests } from './letters.ts'
import type { RowsRequest } from './requests.ts'
import { REQUESTS_AT_ONCE, type StreamingService } from './service.ts'
import { formatToken } from './token.ts'

export interface AttemptPorts {
  readonly table: string
  readonly ledgerTable: string
  readonly service: StreamingService
  readonly ledger: StreamingLedger
  readonly clock: Clock
  readonly author: CommitAuthor
  readonly limits: WaitLimits
}

/** A key with what a commit has for it, taken by us. */
export interface Ready {
  readonly job: Job
  readonly hold: Hold
}

/** What became of a key: `stale` and `invalid` say that its channel must be opened again before anything is known. */
export type Result = 'committed' | 'stale' | 'invalid'

/**
 * Appends what a commit has for keys that are where it expects them. Dead letters come first, and are in their table before the
 * first row is sent: the rows' token alone decides whether the commit was, and it must never say so while they can still be lost.
 */
export async function append(
  ready: readonly Ready[],
  commitId: string,
  ports: AttemptPorts
): Promise<ReadonlyMap<Ready, Result>> {
  const results = new Map<Ready, Result>()
  const lettersDone = await send(ready, lettersOf, ports)
  for (const [each, result] of lettersDone) if (result !== 'committed') results.set(each, result)
  const left = ready.filter(each => !results.has(each))
  const [withRows, without] = [
    left.filter(({ job }) => job.rows.length > 0),
    left.filter(({ job }) => job.rows.length === 0)
  ]
  for (const [each, result] of await send(withRows, rowsOf, ports)) results.set(each, result)
  for (const [each, result] of await moveAlone(without, commitId, ports)) results.set(each, result)
  for (const [{ job, hold }, result] of results) {
    if (result !== 'committed') continue
    hold.position = { next: job.wanted.next, by: ports.author, token: undefined }
    hold.isClean = true
  }
  return results
}

interface Sending {
  readonly channel: HeldChannel
  readonly requests: readonly RowsRequest[]
}

const rowsOf = ({ job, hold }: Ready): Sending => ({ channel: hold.main, requests: job.rows })

function lettersOf({ job, hold }: Ready): Sending | undefined {
  if (job.letters.length === 0) return undefined
  invariant(hold.letters !== undefined, 'dead letters come only under policy Table')
  return { channel: hold.letters, requests: letterRequests(job.letters, hold.writeId) }
}

/** Appends and waits until all of it is in the table, or it is known that not all of it will be. */
async function send(
  ready: readonly Ready[],
  what: (each: Ready) => Sending | undefined,
  ports: AttemptPorts
): Promise<ReadonlyMap<Ready, Result>> {
  const results = new Map<Ready, Result>()
  const awaited = new Map<Awaited, Ready>()
  const sent = await atOnce(REQUESTS_AT_ONCE, ready, async each => {
    const sending = what(each)
    return sending === undefined ? undefined : await appendAll(each, sending, ports)
  })
  for (const [index, each] of ready.entries()) {
    const result = sent[index]
    if (typeof result === 'object') awaited.set(result, each)
    else if (result !== undefined) results.set(each, result)
  }
  const { service, clock, limits } = ports
  for (const [each, result] of await confirmed([...awaited.keys()], service, clock, limits)) {
    if (result === 'committed') each.channel.token = each.token
    results.set(awaited.get(each) as Ready, result)
  }
  return results
}

async function appendAll(
  { job, hold }: Ready,
  { channel, requests }: Sending,
  { service, author, table, ledgerTable }: AttemptPorts
): Promise<Awaited | Result> {
  const { key, writeId } = hold
  let token = ''
  for (const { body, next } of requests) {
    token = formatToken({ next, writeId, commitId: job.commitId, author })
    const { isClean } = hold
    hold.isClean = false
    const answer = await service.append(channel.pipe, channel.name, { continuation: channel.continuation, body, token })
    // What is refused for sure is not on its way.
    if (answer.status === 'stale' || answer.status === 'invalid') hold.isClean = isClean
    if (answer.status === 'stale') return 'stale'
    if (answer.status !== 'received') return 'invalid'
    channel.continuation = answer.continuation
  }
  return { channel, token, writeId, sight: { table, ledgerTable, key, channel: channel.name } }
}

/** A token moves with rows only (snowflakedb/snowflake-ingest-java issue 805): what has none goes to the ledger. */
async function moveAlone(
  ready: readonly Ready[],
  commitId: string,
  { ledger }: AttemptPorts
): Promise<ReadonlyMap<Ready, Result>> {
  const moving = ready.filter(({ job: { wanted } }) => wanted.next !== wanted.expected)
  if (moving.length === 0) return new Map(ready.map(each => [each, 'committed']))
  const moves = moving.map(({ job, hold }) => ({
    key: job.key,
    writeId: hold.writeId,
    ...job.wanted,
    deadLetters: job.letters.length
  }))
  // Until it is known to be in, or not, nothing else may go on under these write ids: it could arrive later.
  for (const { hold } of moving) hold.isClean = false
  const lost = new Set(await ledger.move(moves, commitId))
  // All or none: those that were not lost are tried again.
  return new Map(
    ready.map(each => {
      if (lost.size === 0) return [each, 'committed']
      return [each, lost.has(formatKey(each.job.key)) ? 'stale' : 'invalid']
    })
  )
}
