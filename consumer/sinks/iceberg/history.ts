import { FatalError } from '../../../lib/errors.ts'
import type { HistoryRange, OnNote, TableHistory } from '../history.ts'
import { tableName, type Catalog } from './catalog/catalog.ts'
import { Malformed } from './checked.ts'
import { parseMetadata } from './parse-metadata.ts'
import { snapshotHistory } from './snapshot-history.ts'

/** The past of an Iceberg table, by the summaries of its snapshots. Each read loads the table's metadata. */
export function icebergHistory(
  catalog: Pick<Catalog, 'loadTable'>,
  table: string,
  { sinceMs, untilMs }: HistoryRange,
  onNote: OnNote
): TableHistory {
  /** Of the newest snapshot that was told. */
  let toldUpTo = -1
  let isFirst = true
  const tellLimits = (oldestMs: number | undefined, isThinned: boolean) => {
    if (oldestMs !== undefined && oldestMs > sinceMs) {
      const time = new Date(oldestMs).toISOString()
      const message = `has expired its snapshots of before ${time}: what was committed up to then is not known any more`
      onNote({ table, message, isIncomplete: true })
    }
    if (isThinned) {
      const message = 'has thinned out its old snapshots: the minutes between two that are left are told as one'
      onNote({ table, message, isIncomplete: false })
    }
  }
  return {
    table,
    read: async function* () {
      const loaded = await catalog.loadTable(tableName(table))
      if (loaded === undefined) {
        if (isFirst) onNote({ table, message: 'is not there', isIncomplete: false })
        isFirst = false
        return
      }
      const history = told(() => snapshotHistory(parseMetadata(loaded.metadata, table)), table)
      const entries = history.entries.filter(
        ({ committedMs, fromMs = committedMs }) => committedMs >= sinceMs && fromMs <= untilMs
      )
      const isThinned = entries.some(({ fromMs }) => fromMs !== undefined)
      if (isFirst) tellLimits(history.oldestMs, isThinned)
      isFirst = false
      for (const { sequenceNumber, ...entry } of entries) {
        if (sequenceNumber > toldUpTo) yield entry
      }
      toldUpTo = Math.max(toldUpTo, history.lastSequenceNumber)
    }
  }
}

function told<T>(read: () => T, table: string): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    throw new FatalError(
      'OffsetsUnreadable',
      `The offsets in a snapshot of Iceberg table ${table} cannot be read: ${error.message}. Use the version that wrote it.`,
      { cause: error }
    )
  }
}
