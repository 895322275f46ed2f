import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'

const PATIENCE_MS = 300_000

/** Steps of one story, told in order: after one that fails the others are not tried. */
export class Steps {
  readonly #explain: () => Promise<string>
  #hasFailed = false

  /** `explain` tells what there is when a step fails. */
  constructor(explain: () => Promise<string>) {
    this.#explain = explain
  }

  readonly step = (name: string, work: () => Promise<void>): void => {
    test(name, async context => {
      if (this.#hasFailed) return context.skip('an earlier step failed')
      const started = performance.now()
      const took = () => `${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s`
      try {
        await work()
        console.log(`${took()}  ${name}`)
      } catch (error) {
        this.#hasFailed = true
        console.log(`${took()}  FAILED ${name}\n${await this.#explain().catch(String)}`)
        throw error
      }
    })
  }
}

/** Asks until the answer is as expected; fails with the last one. An answer that cannot be had is asked for again. */
export async function until<T>(
  what: string,
  read: () => Promise<T>,
  isSo: (value: T) => boolean,
  patienceMs = PATIENCE_MS
): Promise<T> {
  let last: unknown
  for (const endMs = performance.now() + patienceMs; performance.now() < endMs;) {
    try {
      const value = await read()
      if (isSo(value)) return value
      last = value
    } catch (error) {
      last = String(error)
    }
    await wait(500)
  }
  assert.fail(`${what} did not come true; last seen: ${typeof last === 'string' ? last : JSON.stringify(last)}`)
}
