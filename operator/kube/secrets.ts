import { createHash } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { ReadSecret } from '../../lib/secrets.ts'
import { SECRETS, type Kube, type KubeObject } from './kube.ts'

interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

/** One look at a Secret serves all who ask within this time. */
const MAX_AGE_MS = 10_000
const MAX_KEPT = 1000

/** Secrets by name, asked for when needed: the operator neither lists nor watches them. */
export class SecretReader {
  readonly #kube: Kube
  readonly #clock: Clock
  readonly #kept = new Map<string, { readonly secret: Promise<Secret | undefined>; readonly atMs: number }>()

  constructor(kube: Kube, clock: Clock) {
    this.#kube = kube
    this.#clock = clock
  }

  /** Changes with any value; undefined when there is no such Secret. */
  async hash(namespace: string, name: string): Promise<string | undefined> {
    const secret = await this.#secret(namespace, name)
    if (secret === undefined) return undefined
    const entries = Object.entries(secret.data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
    return createHash('sha256').update(JSON.stringify(entries)).digest('hex')
  }

  reader(namespace: string): ReadSecret {
    return async (name, key) => {
      const value = (await this.#secret(namespace, name))?.data?.[key]
      // A line break at the end, an editor's gift, is dropped, as it is from mounted files.
      return value === undefined
        ? undefined
        : Buffer.from(value, 'base64')
            .toString('utf8')
            .replace(/\r?\n$/, '')
    }
  }

  #secret(namespace: string, name: string): Promise<Secret | undefined> {
    const key = `${namespace}/${name}`
    const nowMs = this.#clock.now()
    const kept = this.#kept.get(key)
    if (kept !== undefined && nowMs - kept.atMs < MAX_AGE_MS) return kept.secret
    const secret: Promise<Secret | undefined> = this.#kube.get(SECRETS, namespace, name)
    this.#kept.delete(key)
    this.#kept.set(key, { secret, atMs: nowMs })
    secret.catch(() => this.#kept.delete(key))
    for (const [oldest, { atMs }] of this.#kept) {
      if (this.#kept.size <= MAX_KEPT && nowMs - atMs < MAX_AGE_MS) break
      this.#kept.delete(oldest)
    }
    return secret
  }
}
