import type { OnNote, TableHistory } from './history.ts'

/** Says once, before it is first read, that the table is not there. */
export function notedAbsence(history: TableHistory, isThere: () => Promise<boolean>, onNote: OnNote): TableHistory {
  const { table } = history
  let isFirst = true
  return {
    table,
    read: async function* () {
      if (isFirst && !(await isThere())) onNote({ table, message: 'is not there', isIncomplete: false })
      isFirst = false
      yield* history.read()
    }
  }
}
