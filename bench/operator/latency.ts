import { systemClock } from '../../lib/clock.ts'
import { DEPLOYMENTS, type Kube, type KubeObject } from '../../operator/kube/kube.ts'
import { Reflector } from '../../operator/kube/reflector.ts'
import { jsonLog } from '../../lib/log.ts'

/** Follows the Deployments of a cluster and tells when one of them is as somebody waits for it. */
export class DeploymentWatch {
  readonly #waiting = new Map<
    string,
    { readonly isSo: (object: KubeObject) => boolean; readonly resolve: () => void }
  >()
  readonly #reflector: Reflector
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined

  constructor(kube: Kube) {
    this.#reflector = new Reflector({
      kube,
      type: DEPLOYMENTS,
      selection: { namespace: undefined },
      clock: systemClock,
      log: jsonLog(() => {}, 'error', Date.now),
      keep,
      onChange: object => object !== undefined && this.#seen(object)
    })
  }

  async start(): Promise<void> {
    this.#running = this.#reflector.run(this.#stopping.signal)
    await this.#reflector.synced
  }

  get size(): number {
    return this.#reflector.size
  }

  /** Resolves when the Deployment is so, from now on; `key` is `namespace/name`. */
  until(key: string, isSo: (object: KubeObject) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.set(key, { isSo, resolve })
    return promise
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  #seen(object: KubeObject): void {
    const key = `${object.metadata.namespace}/${object.metadata.name}`
    const waiting = this.#waiting.get(key)
    if (waiting === undefined || !waiting.isSo(object)) return
    this.#waiting.delete(key)
    waiting.resolve()
  }
}

/** Labels of the pods, and no more: this process is to be small beside the one that is measured. */
function keep({ apiVersion, kind, metadata, ...rest }: KubeObject): KubeObject {
  const { namespace = '', name, resourceVersion = '' } = metadata
  const labels = (rest as Marked).spec?.template?.metadata?.labels ?? {}
  const kept: KubeObject & Marked = {
    apiVersion,
    kind,
    metadata: { namespace, name, resourceVersion },
    spec: { template: { metadata: { labels } } }
  }
  return kept
}

interface Marked {
  readonly spec?: { readonly template?: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } } }
}

/** What a Deployment's pods are marked with. */
export const markOf = (object: KubeObject): string | undefined =>
  (object as Marked).spec?.template?.metadata?.labels?.['mark']

/** The value below which this share of the sorted values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
