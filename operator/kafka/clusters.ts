import { createHash } from 'node:crypto'
import type { SettledSource } from '../../crds/settled.ts'
import type { Clock } from '../../lib/clock.ts'
import { OauthTokens, SOURCE_TOKENS } from '../../lib/oauth-tokens.ts'
import type { ReadSecret } from '../../lib/secrets.ts'
import { KafkaCluster } from './cluster.ts'
import { kafkaSecurity } from './security.ts'

/** A cluster in use; `release` it once when it is no longer needed. */
export interface ClusterLease {
  /** Differs between clusters, identities, and values of their Secrets. */
  readonly key: string
  readonly cluster: KafkaCluster
  release(): void
}

/** Connections shared by all who read the same cluster under the same identity, closed when nobody does. */
export class KafkaClusters {
  readonly #tokens: OauthTokens
  readonly #clock: Clock
  readonly #open = new Map<string, { readonly cluster: KafkaCluster; users: number }>()

  constructor(clock: Clock) {
    this.#tokens = new OauthTokens(clock, SOURCE_TOKENS)
    this.#clock = clock
  }

  /** How many clusters are connected or about to be. */
  get size(): number {
    return this.#open.size
  }

  /** Reads the Secrets anew. Throws FatalError when one is missing. */
  async lease({ bootstrapServers, security }: SettledSource, readSecret: ReadSecret): Promise<ClusterLease> {
    const values = new Set<string>()
    const recording: ReadSecret = async (name, key) => {
      const value = await readSecret(name, key)
      values.add(`${name}/${key}=${value}`)
      return value
    }
    const settings = await kafkaSecurity(security, recording, this.#tokens)
    const { protocol, mechanism, tokenEndpoint, scope } = security
    const identity = [[...bootstrapServers].sort(), protocol, mechanism, tokenEndpoint, scope, [...values].sort()]
    const key = createHash('sha256').update(JSON.stringify(identity)).digest('hex')
    const held = this.#open.get(key) ?? { cluster: new KafkaCluster(bootstrapServers, settings, this.#clock), users: 0 }
    held.users++
    this.#open.set(key, held)
    let isReleased = false
    const release = () => {
      if (isReleased) return
      isReleased = true
      if (--held.users > 0) return
      this.#open.delete(key)
      void held.cluster.close()
    }
    return { key, cluster: held.cluster, release }
  }
}
