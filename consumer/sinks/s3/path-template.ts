import { FatalError } from '../../../lib/errors.ts'
import { pathSegment } from './names.ts'

/** What engines that read hive-style paths take for null. */
const NULL = '__HIVE_DEFAULT_PARTITION__'
const PLACEHOLDER = /\{([^{}]*)\}/g
const TIMES: Readonly<Record<string, (date: Date) => string>> = {
  yyyy: date => String(date.getUTCFullYear()).padStart(4, '0'),
  MM: date => two(date.getUTCMonth() + 1),
  dd: date => two(date.getUTCDate()),
  HH: date => two(date.getUTCHours())
}

export interface Place {
  readonly topic: string
  readonly partition: number
  /** Milliseconds since 1970; null when the record has no time. One that is in no year of four digits counts as none. */
  readonly timeMs: number | null
}

/** FatalError when the template leads elsewhere than below its table, or asks for what it does not know. */
export function checkTemplate(template: string): void {
  const refuse = (what: string) =>
    new FatalError('InvalidPath', `spec.sink.s3.path ${JSON.stringify(template)} ${what}.`)
  if (template === '') return
  const unknown = [...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name).find(name => !isKnown(name))
  if (unknown !== undefined)
    throw refuse(`has {${unknown}}; known are {topic}, {partition}, {yyyy}, {MM}, {dd} and {HH}`)
  const segments = template.replaceAll(PLACEHOLDER, 'x').split('/')
  if (segments.some(segment => segment === '' || /^\.+$/.test(segment) || /[{}\\%?#*]/.test(segment)))
    throw refuse('is not made of plain names with / between them')
  if (segments.some(segment => /^[_.]/.test(segment)))
    throw refuse('has a name that begins with _ or a dot, which readers pass over')
}

/** The folder, below its table, of an object: empty, or ending in `/`. Times are in UTC. */
export function folderAt(template: string, { topic, partition, timeMs }: Place): string {
  if (template === '') return ''
  const date = timeMs === null ? undefined : dateAt(timeMs)
  const segments = template.split('/').map(segment => {
    const shown = date !== undefined || !hasTime(segment) ? segment : withNull(segment)
    return shown.replaceAll(PLACEHOLDER, (_all, name: string) => {
      if (name === 'topic') return pathSegment(topic)
      return name === 'partition' ? String(partition) : (TIMES[name]?.(date ?? new Date(0)) ?? '')
    })
  })
  return `${segments.join('/')}/`
}

const withNull = (segment: string): string => (segment.includes('=') ? segment.replace(/=.*$/, `=${NULL}`) : 'null')

function dateAt(timeMs: number): Date | undefined {
  const date = new Date(timeMs)
  const year = date.getUTCFullYear()
  return year >= 0 && year <= 9999 ? date : undefined
}

const isKnown = (name: string): boolean => name === 'topic' || name === 'partition' || Object.hasOwn(TIMES, name)

const hasTime = (segment: string): boolean =>
  [...segment.matchAll(PLACEHOLDER)].some(([, name = '']) => Object.hasOwn(TIMES, name))

const two = (number: number): string => String(number).padStart(2, '0')
