import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Statement } from '../../../../../consumer/sinks/snowflake/session/session.ts'

/** With UPDATE_GOLDEN=1 in the environment the files are written instead of compared; read what changed. */
const isUpdate = process.env['UPDATE_GOLDEN'] === '1'

/** One step of a sequence, as its file shows it. */
export interface Step {
  /** Why it is there, and when it is left out. */
  readonly note?: string
  readonly statement: Statement
}

export const step = (statement: Statement, note?: string): Step =>
  note === undefined ? { statement } : { statement, note }

/** Compares a sequence with `golden/<name>.sql`, to the character. */
export function assertGolden(name: string, title: string, steps: readonly Step[]): void {
  assertGoldenText(name, `-- ${title}\n\n${steps.map(formatted).join('\n')}`)
}

export function assertGoldenText(name: string, text: string): void {
  const path = fileURLToPath(new URL(`golden/${name}.sql`, import.meta.url))
  if (isUpdate) writeFileSync(path, text)
  assert.equal(text, existsSync(path) ? readFileSync(path, 'utf8') : '(no such file)', `golden/${name}.sql`)
}

function formatted({ note, statement }: Step): string {
  const { text, binds = [] } = statement
  const marks = text.match(/\?/g)?.length ?? 0
  assert.equal(binds.length, marks, `as many binds as question marks in ${text}`)
  return [
    ...(note === undefined ? [] : note.split('\n').map(line => `-- ${line}`)),
    `${text};`,
    ...binds.map((bind, index) => `--   ?${index + 1} ${JSON.stringify(bind)}`),
    ''
  ].join('\n')
}
