import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { keptOfPod } from './kept.ts'
import {
  BUDGETS,
  CONFIG_MAPS,
  DEPLOYMENTS,
  keyOf,
  PIPELINES,
  PODS,
  SERVICE_ACCOUNTS,
  type Kube,
  type KubeObject,
  type ResourceType
} from './kube.ts'
import { MANAGED_BY, OPERATOR, PIPELINE_LABEL } from '../objects/names.ts'
import type { Priority } from '../queue/queue.ts'
import { Reflector, type WatchEnd } from './reflector.ts'

export interface StoresOptions {
  readonly kube: Kube
  readonly clock: Clock
  readonly log: Log
  /** All namespaces when empty. */
  readonly namespaces: readonly string[]
  /** A pipeline, or something that belongs to it, is not what it was; `high`: by somebody's edit. */
  readonly onChange: (pipelineKey: string, priority: Priority) => void
  readonly onTrouble: (kind: string, what: WatchEnd) => void
}

export interface WatchView {
  /** `pods` */
  readonly kind: string
  readonly objects: number
  readonly silenceMs: number
}

const WATCHED: readonly ResourceType[] = [PIPELINES, DEPLOYMENTS, CONFIG_MAPS, SERVICE_ACCOUNTS, BUDGETS, PODS]

/** Copies of all pipelines and of what we made for them, for each watched namespace. */
export class Stores {
  readonly #reflectors = new Map<string, Reflector>()
  readonly #isScoped: boolean

  constructor({ kube, clock, log, namespaces, onChange, onTrouble }: StoresOptions) {
    this.#isScoped = namespaces.length > 0
    for (const type of WATCHED) {
      for (const namespace of this.#isScoped ? namespaces : [undefined]) {
        const isPipeline = type === PIPELINES
        const reflector = new Reflector({
          kube,
          type,
          selection: { namespace, ...(isPipeline ? {} : { labelSelector: `${MANAGED_BY}=${OPERATOR}` }) },
          clock,
          log,
          ...(type === PODS ? { keep: keptOfPod } : {}),
          groupOf: isPipeline ? () => undefined : pipelineOf,
          onTrouble: what => onTrouble(type.kind, what),
          onChange: (object, before) => {
            const one = object ?? before
            if (one === undefined || (isPipeline && !isNews(object, before))) return
            const key = isPipeline ? keyOf(one) : pipelineOf(one)
            if (key !== undefined) onChange(key, isPipeline && reflector.isSynced ? 'high' : 'low')
          }
        })
        this.#reflectors.set(nameOf(type, namespace), reflector)
      }
    }
  }

  get isSynced(): boolean {
    return [...this.#reflectors.values()].every(({ isSynced }) => isSynced)
  }

  /** How each watch does, by kind. */
  *watches(): Iterable<WatchView> {
    for (const { kind, plural } of WATCHED) {
      for (const [name, reflector] of this.#reflectors) {
        if (!name.startsWith(`${plural} `)) continue
        yield { kind, objects: reflector.size, silenceMs: reflector.silenceMs }
      }
    }
  }

  /** All pipelines that are watched. */
  *pipelines(): Iterable<KubeObject> {
    for (const [name, reflector] of this.#reflectors) {
      if (name.startsWith(`${PIPELINES.plural} `)) yield* reflector.values()
    }
  }

  get(type: ResourceType, namespace: string, name: string): KubeObject | undefined {
    return this.#of(type, namespace)?.get(`${namespace}/${name}`)
  }

  /** Objects of one pipeline. */
  ofPipeline(type: ResourceType, namespace: string, pipeline: string): readonly KubeObject[] {
    return this.#of(type, namespace)?.group(`${namespace}/${pipeline}`) ?? []
  }

  /** Follows the cluster until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map(reflector => reflector.run(signal)))
  }

  /** Resolves when every copy is complete. */
  async synced(): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map(({ synced }) => synced))
  }

  #of(type: ResourceType, namespace: string): Reflector | undefined {
    return this.#reflectors.get(nameOf(type, this.#isScoped ? namespace : undefined))
  }
}

const nameOf = ({ plural }: ResourceType, namespace: string | undefined) => `${plural} ${namespace ?? '*'}`

function pipelineOf({ metadata: { namespace = '', labels } }: KubeObject): string | undefined {
  const name = labels?.[PIPELINE_LABEL]
  return name === undefined ? undefined : `${namespace}/${name}`
}

/** Our own writes of the status come back through the watch; they are no news. */
function isNews(object: KubeObject | undefined, before: KubeObject | undefined): boolean {
  if (object === undefined || before === undefined) return true
  const [now, old] = [object.metadata, before.metadata]
  return now.generation !== old.generation || now.uid !== old.uid || now.deletionTimestamp !== old.deletionTimestamp
}
