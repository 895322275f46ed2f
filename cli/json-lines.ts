import type { Display } from './screen.ts'
import type { RunEnd, RunEvent, RunStatus } from './status.ts'

/**
 * One JSON object per line, for programs. Its shape is documented in docs/cli.md and only ever grows; an unknown figure is null.
 */
export class JsonLines implements Display {
  readonly #write: (line: string) => void

  constructor(write: (line: string) => void) {
    this.#write = write
  }

  status(status: RunStatus): void {
    this.#line({ type: 'status', ...statusFields(status) })
  }

  event({ atMs, level, reason, message, consumer, fields }: RunEvent): void {
    this.#line({ type: 'event', time: time(atMs), level, reason, message, consumer: consumer ?? null, ...fields })
  }

  end({ atMs, outcome, exitCode, message }: RunEnd, last: RunStatus | undefined): void {
    const status = last === undefined ? null : statusFields(last)
    this.#line({ type: 'done', time: time(atMs), outcome, exitCode, message, status })
  }

  #line(value: object): void {
    this.#write(`${JSON.stringify(value)}\n`)
  }
}

const time = (ms: number): string => new Date(ms).toISOString()

function statusFields(status: RunStatus) {
  const { trouble, partitions, lag, behindSeconds, deadLetters, progress } = status
  return {
    time: time(status.atMs),
    name: status.name,
    ready: trouble === undefined,
    trouble: trouble ?? null,
    sink: status.sink,
    readyConsumers: status.readyConsumers,
    partitions: partitions ?? null,
    lag: lag ?? null,
    behindSeconds: behindSeconds ?? null,
    deadLetters: deadLetters ?? null,
    recordsPerSecond: progress?.recordsPerSecond ?? null,
    topics: status.topics.map(({ topic, table, partitions, lag, behindSeconds, deadLetters, sinkError }) => ({
      topic,
      table,
      partitions,
      lag: lag ?? null,
      behindSeconds: behindSeconds ?? null,
      deadLetters: deadLetters ?? null,
      sinkError: sinkError ?? null
    })),
    consumers: status.consumers.map(({ name, pid, restarts, state }) => ({ name, pid: pid ?? null, restarts, state }))
  }
}
