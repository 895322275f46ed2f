import type { RunLine } from './bronze-run.ts'

const LOOK_EVERY_MS = 10

/** Kills one consumer as soon as `isDue` says so, and tells what becomes of it. */
export class Drill {
  #say: (text: string) => void
  #pids = new Map<string, number>()
  #victim: string | undefined
  #timer: NodeJS.Timeout

  constructor(isDue: () => boolean, say: (text: string) => void) {
    this.#say = say
    this.#timer = setInterval(() => {
      if (isDue()) this.#kill()
    }, LOOK_EVERY_MS)
  }

  get hasKilled(): boolean {
    return this.#victim !== undefined
  }

  hear({ reason, message, consumer, pid, lastLines }: RunLine): void {
    if (typeof consumer !== 'string') return
    if (reason === 'ConsumerStarted' && typeof pid === 'number') {
      this.#pids.set(consumer, pid)
      if (consumer !== this.#victim) this.#say(`  ${consumer} starts as pid ${pid}\n`)
      else this.#say(`  ${consumer} is back as pid ${pid}, and goes on where the tables say\n`)
    } else if (reason === 'ConsumerEnded' && consumer !== this.#victim) {
      this.#say(`  ${message ?? ''}\n${(lastLines ?? []).map(line => `    ${line}\n`).join('')}`)
    } else if (reason === 'ConsumerRefused') this.#say(`  ${message ?? ''}\n`)
  }

  end(): void {
    clearInterval(this.#timer)
  }

  #kill(): void {
    const [first] = this.#pids
    if (first === undefined) return
    const [consumer, pid] = first
    clearInterval(this.#timer)
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      return // it has ended by itself, which is told otherwise
    }
    this.#victim = consumer
    this.#say(`  kill -9 ${pid}: ${consumer} dies in the middle of its work\n`)
  }
}
