import { type SettledTopic } from '../../crds/settled.ts'
import { topicPattern } from '../../crds/topic-pattern.ts'
import { RetryableError } from '../../lib/errors.ts'
import { type Log } from '../../lib/log.ts'
import { type Cluster } from './cluster.ts'

/**
 * Finds the topics of a pipeline: those named, and those whose whole name a pattern matches. Internal topics (`__…`) and
 * our own dead-letter topics never match a pattern.
 */
export class TopicFinder {
  readonly #cluster: Pick<Cluster, 'describe'>
  readonly #log: Log
  readonly #names: readonly string[]
  readonly #patterns: readonly ((name: string) => boolean)[]
  readonly #deadLetters: RegExp | undefined
  #found: readonly string[] = []
  #missing: readonly string[] = []

  /** `deadLetterTopic` is the template of dead-letter topics, in which `{topic}` stands for any. */
  constructor(
    cluster: Pick<Cluster, 'describe'>,
    topics: readonly SettledTopic[],
    deadLetterTopic: string | undefined,
    log: Log
  ) {
    this.#cluster = cluster
    this.#log = log
    this.#names = [...new Set(topics.flatMap(({ match }) => ('topic' in match ? [match.topic] : [])))]
    this.#patterns = topics.flatMap(({ match }) => ('pattern' in match ? [topicPattern(match.pattern)] : []))
    this.#deadLetters = deadLetterTopic === undefined ? undefined : templatePattern(deadLetterTopic)
  }

  /** What was found last. */
  get found(): readonly string[] {
    return this.#found
  }

  /** Asks the cluster; in alphabetical order. A topic that is named and missing is waited for. */
  async find(): Promise<readonly string[]> {
    const hasPatterns = this.#patterns.length > 0
    const described = await this.#cluster.describe(hasPatterns ? null : this.#names)
    const wanted = [...described.keys()].filter(name => this.#names.includes(name) || this.#isMatched(name))
    this.#found = wanted.sort()
    const missing = this.#names.filter(name => !described.has(name))
    if (missing.join() !== this.#missing.join()) {
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

  #isMatched(name: string): boolean {
    if (name.startsWith('__') || this.#deadLetters?.test(name) === true) return false
    return this.#patterns.some(matches => matches(name))
  }
}

function templatePattern(template: string): RegExp {
  const parts = template.split('{topic}').map(part => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.+')}$`)
}
