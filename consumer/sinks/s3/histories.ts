import type { S3Sink } from '../../../crds/settled.ts'
import { openObjectStore } from '../../store/open.ts'
import type { Histories, HistoryPorts, HistoryRange, TableHistory } from '../history.ts'
import { notedAbsence } from '../noted-absence.ts'
import { reversedHistory } from '../reversed-history.ts'
import { readS3History } from './history.ts'
import { readTableObject } from './table.ts'

/** A look lists the folders of each topic and partition. */
const LOOK_EVERY_MS = 2_000

/** The past of raw objects, by the commit objects beside them. */
export async function s3Histories(
  { location, s3 }: S3Sink,
  tables: readonly string[],
  range: HistoryRange,
  { readSecret, onNote }: HistoryPorts
): Promise<Histories> {
  const store = await openObjectStore(location, s3, readSecret, 'spec.sink.s3')
  const historyOf = (table: string): TableHistory => {
    const history = reversedHistory(table, range, part => readS3History(store, table, part))
    const isThere = async () => (await readTableObject(store, table)) !== undefined
    return notedAbsence(history, isThere, onNote)
  }
  return { tables: tables.map(historyOf), lookEveryMs: LOOK_EVERY_MS, close: async () => await store.close() }
}
