import type { RunEnd, RunEvent, RunStatus } from './status.ts'
import { oneLine, picture } from './table.ts'

/** Where a run tells what it does. */
export interface Display {
  status(status: RunStatus): void
  event(event: RunEvent): void
  /** The last word. */
  end(end: RunEnd, last: RunStatus | undefined): void
}

export type Terminal = Pick<NodeJS.WriteStream, 'write' | 'columns' | 'rows'>

const ESC = '\u001b['
const CLEAR_BELOW = `${ESC}J`

/** A picture redrawn in place; what happens scrolls by above it. */
export class LiveScreen implements Display {
  readonly #terminal: Terminal
  #last: RunStatus | undefined
  #drawnLines = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  status(status: RunStatus): void {
    this.#last = status
    this.#terminal.write(this.#erase() + this.#draw(status))
  }

  event(event: RunEvent): void {
    const lines = eventLines(event).join('\n')
    this.#terminal.write(`${this.#erase()}${lines}\n${this.#last === undefined ? '' : this.#draw(this.#last)}`)
  }

  end(end: RunEnd, last: RunStatus | undefined): void {
    this.#terminal.write(`${this.#erase()}${last === undefined ? '' : this.#draw(last)}${end.message}\n`)
    this.#drawnLines = 0
  }

  /** Back to where the picture began. */
  #erase(): string {
    const up = this.#drawnLines === 0 ? '' : `${ESC}${this.#drawnLines}A`
    this.#drawnLines = 0
    return `\r${up}${CLEAR_BELOW}`
  }

  #draw(status: RunStatus): string {
    // One line and one column less than the terminal has, so that nothing ever wraps or scrolls.
    const size = { columns: (this.#terminal.columns || 80) - 1, rows: (this.#terminal.rows || 24) - 1 }
    const lines = picture(status, size)
    this.#drawnLines = lines.length
    return `${lines.join('\n')}\n`
  }
}

/** A line when something has changed, and not more often than every few seconds. */
export class PlainLines implements Display {
  readonly #write: (line: string) => void
  readonly #everyMs: number
  #lastLine = ''
  #lastMs = -Infinity

  constructor(write: (line: string) => void, everyMs = 5000) {
    this.#write = write
    this.#everyMs = everyMs
  }

  status(status: RunStatus): void {
    const line = oneLine(status)
    if (line === this.#lastLine || status.atMs - this.#lastMs < this.#everyMs) return
    this.#lastLine = line
    this.#lastMs = status.atMs
    this.#write(`${timeOfDay(status.atMs)} ${line}\n`)
  }

  event(event: RunEvent): void {
    for (const line of eventLines(event)) this.#write(`${line}\n`)
  }

  end(end: RunEnd, last: RunStatus | undefined): void {
    if (last !== undefined) this.#write(`${timeOfDay(last.atMs)} ${oneLine(last)}\n`)
    this.#write(`${end.message}\n`)
  }
}

const timeOfDay = (atMs: number): string => new Date(atMs).toISOString().slice(11, 19)

function eventLines({ atMs, message, fields }: RunEvent): string[] {
  const tail = Array.isArray(fields?.['lastLines']) ? (fields['lastLines'] as string[]) : []
  return [`${timeOfDay(atMs)} ${message}`, ...tail.map(line => `         | ${line}`)]
}
