import { setTimeout as wait } from 'node:timers/promises'
import type { Write } from './proxy.ts'

/** When a consumer dies. The ones at a write make sure that every step of a commit is met. */
export const MOMENTS = ['any time', 'commit sent', 'commit done', 'upload done', 'dead letters published'] as const
export type Moment = (typeof MOMENTS)[number]

const PATIENCE_MS = 10_000

/** Kills consumers one after the other, at moments that it chooses. */
export class Executioner {
  /** How many died at each moment. */
  readonly kills: Record<Moment, number> = {
    'any time': 0,
    'commit sent': 0,
    'commit done': 0,
    'upload done': 0,
    'dead letters published': 0
  }
  /** Consumers that were seen to commit. */
  readonly atWork = new Set<number>()
  readonly #kill: (slot: number) => boolean
  readonly #random: () => number
  #aim: { slot: number; moment: Moment; hit: () => void } | undefined

  constructor(kill: (slot: number) => boolean, random: () => number) {
    this.#kill = kill
    this.#random = random
  }

  get count(): number {
    return Object.values(this.kills).reduce((sum, kills) => sum + kills, 0)
  }

  /** Kills one of these consumers. When the moment it waits for does not come, any other will do. */
  async strike(slots: readonly number[]): Promise<void> {
    const slot = slots[Math.floor(this.#random() * slots.length)] ?? 0
    const moment = MOMENTS[Math.floor(this.#random() * MOMENTS.length)] ?? 'any time'
    const aimed = Promise.withResolvers<void>()
    if (moment !== 'any time') {
      this.#aim = { slot, moment, hit: aimed.resolve }
      const patience = new AbortController()
      await Promise.race([
        aimed.promise,
        wait(PATIENCE_MS, undefined, { signal: patience.signal, ref: false }).catch(() => {})
      ])
      patience.abort()
      if (this.#aim === undefined) return
      this.#aim = undefined
    }
    // It may just be starting again.
    for (let left = PATIENCE_MS; left > 0; left -= 50) {
      if (this.#kill(slot)) {
        this.kills['any time']++
        return
      }
      await wait(50)
    }
  }

  /** What a proxy tells of a consumer's write; true when the consumer was killed for it. */
  witness(slot: number, phase: 'before' | 'after', write: Write): boolean {
    if (write.isCommit) this.atWork.add(slot)
    const aim = this.#aim
    if (aim?.slot !== slot || momentOf(phase, write) !== aim.moment || !this.#kill(slot)) return false
    this.#aim = undefined
    this.kills[aim.moment]++
    aim.hit()
    return true
  }
}

/** The tables of dead letters have names of their own. */
function momentOf(phase: 'before' | 'after', { path, isCommit, isOfDeadLetters }: Write): Moment | undefined {
  if (isOfDeadLetters ?? (isCommit && path.includes('/dlq_')))
    return phase === 'after' ? 'dead letters published' : undefined
  if (!isCommit) return phase === 'after' ? 'upload done' : undefined
  return phase === 'after' ? 'commit done' : 'commit sent'
}
