import type { SettledPipeline } from '../../crds/settled.ts'
import { topicsByEntry } from '../../crds/topics.ts'
import { RetryableError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { Cluster } from './cluster.ts'

/** Finds the topics of a pipeline that exist: those named, and those a pattern matches. */
export class TopicFinder {
  readonly #cluster: Pick<Cluster, 'describe'>
  readonly #pipeline: Pick<SettledPipeline, 'topics' | 'deadLetters'>
  readonly #log: Log
  readonly #names: readonly string[]
  readonly #hasPatterns: boolean
  #found: readonly string[] = []
  #missing: readonly string[] = []

  constructor(cluster: Pick<Cluster, 'describe'>, pipeline: Pick<SettledPipeline, 'topics' | 'deadLetters'>, log: Log) {
    this.#cluster = cluster
    this.#pipeline = pipeline
    this.#log = log
    const { topics } = pipeline
    this.#names = [...new Set(topics.flatMap(({ match }) => ('topic' in match ? [match.topic] : [])))]
    this.#hasPatterns = topics.some(({ match }) => 'pattern' in match)
  }

  /** What was found last. */
  get found(): readonly string[] {
    return this.#found
  }

  /** Asks the cluster; in alphabetical order. A topic that is named and missing is waited for, and the log says so. */
  async find(): Promise<readonly string[]> {
    const described = await this.#cluster.describe(this.#hasPatterns ? null : this.#names)
    const byEntry = topicsByEntry(this.#pipeline, described.keys())
    this.#found = [...new Set([...byEntry.values()].flat())].sort()
    const missing = this.#names.filter(name => !described.has(name))
    if (missing.length > 0 && missing.join() !== this.#missing.join()) {
      this.#log.warn('topics of the pipeline do not exist; waiting for them', { missing: missing.join(', ') })
    }
    this.#missing = missing
    return this.#found
  }

  /** Set while topics are named of which none exists. */
  get trouble(): RetryableError | undefined {
    if (this.#found.length > 0 || this.#missing.length === 0) return undefined
    return new RetryableError('TopicMissing', `no topic of the pipeline exists: ${this.#missing.join(', ')}`)
  }
}
