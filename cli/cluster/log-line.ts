import type { LogLevel } from '../../lib/log.ts'
import { harmless } from '../one-line.ts'

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** One line of a pod's log. */
export interface LogLine {
  readonly pod: string
  /** When the node took it, RFC 3339 with nanoseconds; empty when unknown. */
  readonly time: string
  /** As it was written. */
  readonly text: string
}

/** The time that the API server puts before each line when it is asked for timestamps. */
export function timedLine(pod: string, line: string): LogLine {
  const [time = '', ...rest] = line.split(' ')
  return /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(time)
    ? { pod, time, text: rest.join(' ') }
    : { pod, time: '', text: line }
}

/** Nanoseconds may be cut: `…:01Z` is before `…:01.5Z`, which as text it is not. */
export const sortKey = ({ time }: LogLine): string => time.replace(/Z$/, '').padEnd(29, time.includes('.') ? '0' : ' ')

/** Lines that are not ours have no level, and count as the gravest. */
export function isAtLeast({ text }: LogLine, least: LogLevel): boolean {
  const level = LEVELS.indexOf(objectOf(text)?.['level'] as LogLevel)
  return level === -1 || level >= LEVELS.indexOf(least)
}

/** `2xkqp 10:58:57.433 WARN  retrying code=S3Unavailable attempt=3`; `name` is what to call the pod. */
export function lineText(line: LogLine, name: string): string {
  const object = objectOf(line.text)
  const timeOfDay = (time: string) => (/T(\d\d:\d\d:\d\d(?:\.\d{1,3})?)/.exec(time)?.[1] ?? '').padEnd(12)
  if (object === undefined || typeof object['message'] !== 'string') {
    return `${name} ${timeOfDay(line.time)}       ${harmless(line.text)}`
  }
  const { time, level, message, ...fields } = object
  const said = Object.entries(fields).map(([field, value]) => `${field}=${valueText(value)}`)
  const at = timeOfDay(typeof time === 'string' ? time : line.time)
  const word = typeof level === 'string' ? level.toUpperCase() : ''
  return [name, at, harmless(word.padEnd(5)), harmless(message), ...said.map(harmless)].join(' ')
}

/** As it was written, and which pod wrote it. */
export function lineJson({ pod, text, time }: LogLine): string {
  const object = objectOf(text)
  return JSON.stringify(
    object === undefined ? { pod, time: time === '' ? null : time, message: text } : { pod, ...object }
  )
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}

function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)
}
