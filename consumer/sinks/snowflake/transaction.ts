import type { Clock } from '../../../lib/clock.ts'
import { RetryableError } from '../../../lib/errors.ts'
import type { CommitAuthor, CommitOutcome, Staged } from '../../sink.ts'
import type { MergedRange } from '../offset-key.ts'
import { commitRows, findCommits, insertCommits } from './sql/commits.ts'
import { insertDeadLetters } from './sql/dead-letters.ts'
import { readKeys, sentinelMissing } from './sql/ledger-table.ts'
import { fencedBy, keysOf, lockLedger, moveLedger, type Move } from './sql/ledger.ts'
import type { TableObjects } from './sql/objects.ts'
import { insertRows } from './sql/publish.ts'
import { canRefuse, countRefused, firstRefused, insertRefused, refusedCounts, refusedError } from './sql/refused.ts'
import type { StatementResult } from './session/session.ts'
import { batchSource, copiedRows, copyBatch, createBatch, inlineSource, type Kind, type Source } from './sql/source.ts'
import type { StagedFiles, StagedRows } from './staging.ts'
import type { SnowflakeTable } from './sql/table.ts'
import type { TableSession } from './table-session.ts'

/** One commit, whichever attempt makes it. */
export interface Commit {
  readonly staged: readonly Staged[]
  readonly merged: ReadonlyMap<string, MergedRange>
  readonly table: SnowflakeTable
  readonly author: CommitAuthor
}

interface Rows {
  readonly source: Source
  readonly rows: number
}

/**
 * One attempt at a commit, as one transaction: rows, dead letters, what history tells, and the offsets last, so that their lock is
 * held shortly. Every count is compared with what was staged. When it throws, nothing is in, unless COMMIT itself was lost:
 * `onCommit` is called before that is sent.
 */
export async function transact(
  session: TableSession,
  commit: Commit,
  clock: Clock,
  onCommit: () => void
): Promise<CommitOutcome> {
  await beginWith(session, commit, ['rows', 'deadLetters'])
  try {
    await publish(session, commit, clock)
    const outcome = await moveOffsets(session, commit, clock)
    if (outcome !== 'moved') {
      await session.rollback()
      return outcome
    }
    onCommit()
    await session.commit()
    return { status: 'committed', version: lastId(commit) }
  } catch (error) {
    await session.rollback()
    throw error
  }
}

/** Begins a transaction with the tables that `sources` fills. */
export async function beginWith(session: TableSession, commit: Commit, kinds: readonly Kind[]): Promise<void> {
  // DDL, which would commit a transaction. The tables are the session's own.
  for (const kind of kinds) {
    if (filesOf(commit, kind).length > 0) await session.run(createBatch(commit.table, kind))
  }
  await session.begin()
}

async function publish(session: TableSession, commit: Commit, clock: Clock): Promise<void> {
  const { table, staged, author } = commit
  const ranges = staged.flatMap(each => each.ranges)
  const refused = []
  for (const { source, rows } of await sources(session, commit, 'rows')) {
    const inserted = affected(await session.run(insertRows(table, source, ranges)))
    const found = await refusedRows(session, commit, source, rows - inserted, clock)
    refused.push(...found)
    const accounted = inserted + found.reduce((sum, each) => sum + each.refused, 0)
    // A merge also counts those as none that are in already.
    if (table.mode !== 'Merge') compare('rows', accounted, rows)
  }
  for (const { source, rows } of await sources(session, commit, 'deadLetters')) {
    compare('dead letters', affected(await session.run(insertDeadLetters(table, source))), rows)
  }
  const told = commitRows(staged, refused)
  if (told.length > 0) await session.run(insertCommits(table.objects, told, { author, committedAtMs: clock.now() }))
}

/** What the table could not take, by partition; after this it is in the dead letters. */
async function refusedRows(
  session: TableSession,
  { table, author }: Commit,
  source: Source,
  missing: number,
  clock: Clock
): Promise<ReturnType<typeof refusedCounts>> {
  if (missing === 0 || !canRefuse(table)) return []
  const counts = refusedCounts((await session.run(countRefused(table, source))).rows)
  const refused = counts.reduce((sum, each) => sum + each.refused, 0)
  if (refused === 0) return []
  if (table.policy !== 'Table') throw refusedError(table, (await session.run(firstRefused(table, source))).rows)
  const inserted = affected(await session.run(insertRefused(table, source, { author, failedAtMs: clock.now() })))
  compare('refused rows', inserted, refused)
  return counts
}

/** The fence: each offset moves only from where it is expected. Committed, when an earlier attempt is in after all. */
async function moveOffsets(session: TableSession, commit: Commit, clock: Clock): Promise<CommitOutcome | 'moved'> {
  const { table, merged, author } = commit
  const { objects } = table
  const move = { commitId: lastId(commit), author, committedAtMs: clock.now() }
  await lock(session, objects, move)
  if (affected(await session.run(moveLedger(objects, merged, move))) === merged.size) return 'moved'
  const { rows } = await session.run(readKeys(objects, keysOf(merged)))
  const fenced = fencedBy(rows, merged, lastId(commit))
  return fenced.partitions.length === 0
    ? { status: 'committed', version: lastId(commit) }
    : { status: 'fenced', ...fenced }
}

/**
 * Whether a COMMIT that had no answer took effect. Its transaction held the ledger's lock, so that it has ended once we have that: it
 * cannot come in after we looked.
 */
export async function isIn(session: TableSession, commit: Commit, sinceMs: number): Promise<boolean> {
  const { staged, merged, author, table } = commit
  const { objects } = table
  return await session.reading(async () => {
    await session.begin()
    await lock(session, objects, { commitId: `${lastId(commit)}?`, author, committedAtMs: sinceMs })
    const { rows } = await session.run(readKeys(objects, keysOf(merged)))
    if (fencedBy(rows, merged, lastId(commit)).partitions.length === 0) return true
    // Others may have gone on from there.
    const ids = staged.map(({ commitId }) => commitId)
    return (await session.run(findCommits(objects, ids, sinceMs))).rows.length > 0
  })
}

/** Takes the ledger's lock for the transaction. */
async function lock(session: TableSession, objects: TableObjects, move: Move): Promise<void> {
  if (affected(await session.run(lockLedger(objects, move))) > 0) return
  throw sentinelMissing(objects)
}

/** What lies in the stage. */
const filesOf = ({ staged }: Commit, kind: Kind): readonly StagedRows[] =>
  staged.map(each => (each.files as StagedFiles)[kind]).filter(rows => rows.kind === 'files')

/** Where the statements find the rows; what lies in the stage is copied into the batch table first. */
export async function sources(session: TableSession, commit: Commit, kind: Kind): Promise<readonly Rows[]> {
  const { table, staged } = commit
  const found: Rows[] = []
  const files = filesOf(commit, kind)
  const names = files.flatMap(each => (each.kind === 'files' ? each.names : []))
  if (names.length > 0) {
    const rows = files.reduce((sum, each) => sum + each.rows, 0)
    const copied = copiedRows((await session.run(copyBatch(table, kind, names))).rows)
    compare('rows of the stage', copied, rows)
    found.push({ source: batchSource(table, kind), rows })
  }
  for (const each of staged) {
    const inline = (each.files as StagedFiles)[kind]
    if (inline.kind !== 'inline' || inline.rows === 0) continue
    found.push({ source: inlineSource(table, kind, inline.lines), rows: inline.rows })
  }
  return found
}

function compare(what: string, found: number, expected: number): void {
  if (found !== expected)
    throw new RetryableError('StagedRowsMissing', `${found} of ${expected} ${what} were found: nothing is committed`)
}

const affected = ({ affected: rows }: StatementResult): number => rows ?? 0

export const lastId = ({ staged }: Pick<Commit, 'staged'>): string => staged.at(-1)?.commitId ?? ''
