import { type ConsumerStatus } from './supervisor.ts'

/** What a run knows of its pipeline at one moment. Undefined is unknown, which is never 0. */
export interface RunStatus {
  readonly atMs: number
  readonly startedMs: number
  readonly name: string
  readonly sink: string
  /** Why it is not ready; undefined when it is. */
  readonly trouble: string | undefined
  readonly consumers: readonly ConsumerStatus[]
  /** Consumers that are members of the group. */
  readonly readyConsumers: number
  readonly partitions: number | undefined
  readonly lag: number | undefined
  readonly behindSeconds: number | undefined
  readonly deadLetters: number | undefined
  readonly topics: readonly TopicStatus[]
  readonly progress: Progress | undefined
}

export interface TopicStatus {
  readonly topic: string
  readonly table: string
  readonly partitions: number
  readonly lag: number | undefined
  readonly behindSeconds: number | undefined
  readonly deadLetters: number | undefined
  /** Code of the trouble that the table has now. */
  readonly sinkError: string | undefined
}

/** How far the catching up has come. */
export interface Progress {
  /** In [0, 1]. */
  readonly fraction: number
  readonly toGo: number
  readonly recordsPerSecond: number | undefined
}

/** Something that happened, for people and machines. */
export interface RunEvent {
  readonly atMs: number
  readonly level: 'info' | 'warning' | 'error'
  /** CamelCase, stable. */
  readonly reason: string
  readonly message: string
  readonly consumer?: string
  readonly fields?: Readonly<Record<string, string | number | null | readonly string[]>>
}

export interface RunEnd {
  readonly atMs: number
  readonly outcome: 'CaughtUp' | 'Stopped' | 'Refused' | 'Killed'
  readonly exitCode: number
  readonly message: string
}
