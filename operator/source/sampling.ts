import { isDeepStrictEqual } from 'node:util'
import type { SettledPipeline } from '../../crds/settled.ts'
import type { Clock } from '../../lib/clock.ts'
import { errorText, RetryableError } from '../../lib/errors.ts'
import { twoDigits } from '../../lib/figures.ts'
import type { Log } from '../../lib/log.ts'
import type { SourceView } from '../facts.ts'
import type { LagSample, LagSampler } from '../kafka/lag-sampler.ts'
import type { PipelineLag, SampledPipeline } from './lag.ts'
import { nextRates, ratesOf, type RateHistory } from '../scaling/rates.ts'
import { rateWindowMs } from '../scaling/waits.ts'

/** A sample waits for requests that it shares with others; it holds the offsets of one pipeline. */
const MAX_AT_ONCE = 1024
/** Of an interval: who is due within one begins with the others, so that they share requests. */
const TICKS = 15

type Sampler = Pick<LagSampler, 'sample' | 'close'>

export interface SamplingOptions {
  readonly open: (pipeline: SampledPipeline) => Sampler
  readonly clock: Clock
  readonly log: Log
  readonly intervalMs: number
  /** What was seen of this pipeline has changed. */
  readonly onChange: (key: string) => void
  /** Each look at a pipeline's source. */
  readonly onSample?: (key: string, view: SourceView) => void
}

interface Followed {
  readonly reads: SampledPipeline
  /** Undefined when nobody asks for rates. */
  ratesWindowMs: number | undefined
  readonly stop: AbortController
  view: SourceView
  history: RateHistory | undefined
}

/**
 * Looks at the source of every pipeline from time to time; a timer of its own, which starts a reconcile only when it
 * saw something new.
 */
export class Sampling {
  readonly #options: SamplingOptions
  readonly #followed = new Map<string, Followed>()
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(options: SamplingOptions) {
    this.#options = options
  }

  /** Begins, or begins anew when what matters for the source has changed. */
  follow(key: string, pipeline: SettledPipeline): void {
    const old = this.#followed.get(key)
    const reads = readsOf(pipeline)
    // Rates are only asked for by mode Lag.
    const ratesWindowMs = pipeline.scaling.mode === 'Lag' ? rateWindowMs(pipeline, this.#options.intervalMs) : undefined
    if (old !== undefined && isDeepStrictEqual(old.reads, reads)) {
      old.ratesWindowMs = ratesWindowMs
      return
    }
    old?.stop.abort()
    const followed: Followed = {
      reads,
      ratesWindowMs,
      stop: new AbortController(),
      view: old === undefined ? NOTHING_SEEN : ofOtherEnds(old.view),
      history: undefined
    }
    this.#followed.set(key, followed)
    void this.#run(key, followed)
  }

  forget(key: string): void {
    this.#followed.get(key)?.stop.abort()
    this.#followed.delete(key)
  }

  view(key: string): SourceView {
    return this.#followed.get(key)?.view ?? NOTHING_SEEN
  }

  close(): void {
    for (const key of this.#followed.keys()) this.forget(key)
  }

  async #run(key: string, followed: Followed): Promise<void> {
    const { clock, intervalMs } = this.#options
    const { signal } = followed.stop
    const sampler = this.#options.open(followed.reads)
    try {
      while (!signal.aborted) {
        await this.#turn(() => this.#sample(key, followed, sampler))
        const dueMs = clock.now() + intervalMs * (0.9 + clock.random() * 0.2)
        const tickMs = intervalMs / TICKS
        await clock.sleep(Math.floor(Math.round(dueMs / tickMs) * tickMs) - clock.now(), signal)
      }
    } finally {
      sampler.close()
    }
  }

  async #sample(key: string, followed: Followed, sampler: Sampler): Promise<void> {
    if (followed.stop.signal.aborted) return
    const before = followed.view
    const after = await this.#look(key, followed, sampler)
    if (followed.stop.signal.aborted) return
    followed.view = after
    this.#options.onSample?.(key, after)
    if (!isDeepStrictEqual(seen(before), seen(after))) this.#options.onChange(key)
  }

  async #look(key: string, followed: Followed, sampler: Sampler): Promise<SourceView> {
    try {
      const sample = await sampler.sample()
      const { lag, group, trouble } = sample
      if (trouble === undefined) followed.history = this.#remember(followed, sample)
      const rates = followed.history && ratesOf(followed.history)
      return { lag, group, rates, trouble: trouble && this.#told(key, trouble) }
    } catch (error) {
      return { lag: followed.view.lag, group: undefined, trouble: this.#told(key, error) }
    }
  }

  #remember({ ratesWindowMs, history }: Followed, { lag, offsets, group }: LagSample): RateHistory | undefined {
    if (ratesWindowMs === undefined) return undefined
    const isKnown = group !== undefined && group.state !== 'Unknown'
    return nextRates(history, offsets, lag.atMs, {
      windowMs: ratesWindowMs,
      group: { members: isKnown ? group.members : undefined, isStable: !isKnown || group.state === 'Stable' }
    })
  }

  #told(key: string, error: unknown): NonNullable<SourceView['trouble']> {
    const reason = error instanceof RetryableError ? error.code : 'SourceTrouble'
    this.#options.log.warn('the source of a pipeline could not be read', { pipeline: key, reason }, error)
    return { reason, message: error instanceof RetryableError ? error.message : errorText(error) }
  }

  async #turn(task: () => Promise<void>): Promise<void> {
    while (this.#running >= MAX_AT_ONCE) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push(resolve)
      await promise
    }
    this.#running++
    try {
      await task()
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }
}

/** A copy that keeps nothing else of the pipeline in memory. */
const readsOf = ({ namespace, name, createdAt, source, topics, deadLetters }: SettledPipeline): SampledPipeline => ({
  namespace,
  name,
  createdAt,
  source,
  deadLetters,
  topics: topics.map(({ name, table, match, endAt }) => ({ name, table, match, endAt }))
})

const NOTHING_SEEN: SourceView = { lag: undefined, trouble: undefined }

/** Figures stay true until the next look; that all is read which was asked for before says nothing of what is asked now. */
const ofOtherEnds = ({ lag, ...view }: SourceView): SourceView => ({
  ...view,
  lag: lag && { ...lag, isComplete: undefined }
})

/** What a change of is worth a reconcile: not the moment, nor a second more behind. */
function seen({ lag, group, rates, trouble }: SourceView): object {
  return { trouble, group, hasRates: rates !== undefined, lag: lag && roundedLag(lag) }
}

function roundedLag({ behindSeconds, entries, ...rest }: PipelineLag): object {
  return {
    ...rest,
    atMs: 0,
    behind: twoDigits(behindSeconds),
    entries: entries.map(({ behindSeconds, ...entry }) => ({ ...entry, behind: twoDigits(behindSeconds) }))
  }
}
