import type { HistoryNote, HistoryRange } from '../consumer/sinks/history.ts'
import { UNKNOWN } from '../lib/figures.ts'
import type { HistoryRow } from './history-rows.ts'
import type { HistoryTotal } from './history-totals.ts'

/** Where a history is told. */
export interface HistoryDisplay {
  row(row: HistoryRow): void
  note(note: HistoryNote): void
  /** For now there is no more. */
  pause(): void
  /** The last word. */
  end(totals: readonly HistoryTotal[]): void
}

const HEADER = ['MINUTE (UTC)', 'TABLE', 'TOPIC', 'RECORDS', 'DEAD-LETTERS', 'COMMITS', 'LAST-COMMIT']
/** So many rows decide how wide the columns are. */
const FIRST_ROWS = 200
const GAP = '   '

/** Rows under a header. */
export class HistoryTable implements HistoryDisplay {
  readonly #write: (text: string) => void
  readonly #note: (text: string) => void
  readonly #widths: number[]
  #waiting: (readonly string[])[] = [HEADER]

  /** `note` is for what goes beside it; `tables` are those that rows may come of. */
  constructor(write: (text: string) => void, note: (text: string) => void, tables: readonly string[]) {
    this.#write = write
    this.#note = note
    // As wide as they will be, also while there is none.
    this.#widths = ['2026-11-21 10:59'.length, Math.max(...tables.map(({ length }) => length))]
  }

  row(row: HistoryRow): void {
    const { table, topic, lastCommitMs } = row
    this.#add([minutesText(row), table, topic, ...figures(row), timeText(lastCommitMs).slice(11)])
  }

  note({ table, message }: HistoryNote): void {
    this.#note(`bronze: ${table} ${message}\n`)
  }

  pause(): void {
    for (const row of this.#waiting)
      row.forEach((cell, i) => (this.#widths[i] = Math.max(this.#widths[i] ?? 0, cell.length)))
    for (const row of this.#waiting) {
      const cells = row.map((cell, i) => cell.padEnd(this.#widths[i] ?? 0))
      this.#write(`${cells.join(GAP).trimEnd()}\n`)
    }
    this.#waiting = []
  }

  end(totals: readonly HistoryTotal[]): void {
    for (const { table, topics, sum, isIncomplete } of totals) {
      const [only = '-', ...more] = topics
      const least = isIncomplete ? '≥' : ''
      this.#add([
        'total',
        table,
        more.length === 0 ? only : `${topics.length} topics`,
        ...(sum === undefined ? ['0', '0', '0'] : figures(bounded(sum, isIncomplete))).map(
          figure => `${figure === UNKNOWN ? '' : least}${figure}`
        ),
        sum === undefined ? '-' : timeText(sum.lastCommitMs)
      ])
    }
    this.pause()
  }

  #add(cells: readonly string[]): void {
    this.#waiting.push(cells)
    if (this.#waiting.length > FIRST_ROWS) this.pause()
  }
}

/** One JSON object per line, for programs. Its shape is documented in docs/cli.md and only ever grows; an unknown figure is null. */
export class HistoryLines implements HistoryDisplay {
  readonly #write: (text: string) => void
  readonly #range: HistoryRange

  constructor(write: (text: string) => void, range: HistoryRange) {
    this.#write = write
    this.#range = range
  }

  row(row: HistoryRow): void {
    const { table, topic, fromMs, toMs } = row
    this.#line({ type: 'minute', from: iso(fromMs), to: iso(toMs), table, topic, ...fields(row) })
  }

  note({ table, message, isIncomplete }: HistoryNote): void {
    this.#line({ type: 'note', table, message, incomplete: isIncomplete })
  }

  pause(): void {}

  end(totals: readonly HistoryTotal[]): void {
    const { sinceMs, untilMs } = this.#range
    const range = { since: iso(sinceMs), until: Number.isFinite(untilMs) ? iso(untilMs) : null }
    for (const { table, topics, sum, isIncomplete } of totals) {
      const none = { records: 0, recordsAtMost: null, deadLetters: 0, commits: 0, lastCommitTime: null }
      const figures = sum === undefined ? none : fields(bounded(sum, isIncomplete))
      this.#line({ type: 'total', ...range, table, topics, ...figures, complete: !isIncomplete })
    }
  }

  #line(value: object): void {
    this.#write(`${JSON.stringify(value)}\n`)
  }
}

const iso = (ms: number): string => new Date(ms).toISOString()
/** `2026-11-21 10:59:58`, in UTC. */
const timeText = (ms: number): string => iso(ms).slice(0, 19).replace('T', ' ')

/** `2026-11-21 10:59`, or `2026-11-21 10:00–10:59` when the row stands for several. */
function minutesText({ fromMs, toMs }: HistoryRow): string {
  const [first, last] = [timeText(fromMs).slice(0, 16), timeText(toMs - 1).slice(0, 16)]
  if (first === last) return first
  return `${first}–${first.slice(0, 10) === last.slice(0, 10) ? last.slice(11) : last}`
}

function figures({ records, atMost, deadLetters, commits }: HistoryRow): readonly string[] {
  const unknown = atMost === undefined ? UNKNOWN : `${UNKNOWN} (≤${atMost})`
  return [records === undefined ? unknown : String(records), String(deadLetters ?? UNKNOWN), String(commits ?? UNKNOWN)]
}

/** Where there may have been more, no bound holds. */
const bounded = (sum: HistoryRow, isIncomplete: boolean): HistoryRow =>
  isIncomplete ? { ...sum, atMost: undefined } : sum

const fields = ({ records, atMost, deadLetters, commits, lastCommitMs }: HistoryRow) => ({
  records: records ?? null,
  recordsAtMost: atMost ?? null,
  deadLetters: deadLetters ?? null,
  commits: commits ?? null,
  lastCommitTime: iso(lastCommitMs)
})
