import type { BronzePipeline } from '../../crds/pipeline.ts'
import { settle } from '../../crds/settle.ts'
import type { SettledPipeline } from '../../crds/settled.ts'
import { parsePipeline } from '../../crds/validate.ts'
import { ClaimIndex, type Taken } from './claim-index.ts'
import { claimsOf, type Claim } from './claims.ts'
import { judgeInCluster } from '../in-cluster.ts'
import type { KubeObject } from '../kube/kube.ts'
import { knownRevisions } from '../revision/current-revision.ts'

interface Seen {
  readonly uid: string
  readonly generation: number | undefined
  /** What the claims were made from beside the spec; undefined when they are those of the spec. */
  readonly beside: string | undefined
  readonly claims: readonly Claim[]
}

/**
 * Who has what, of all pipelines in the cluster. It follows the copy of the pipelines itself, not their reconciles: the
 * first reconcile of a pipeline must know of all others.
 */
export class ClaimBook {
  readonly #index = new ClaimIndex()
  readonly #seen = new Map<string, Seen>()

  /** The pipeline as it is now, and its ConfigMaps; undefined when it is gone. Gives the other pipelines that this matters to. */
  observe(key: string, object: KubeObject | undefined, configMaps: readonly KubeObject[] = []): readonly string[] {
    const before = this.#seen.get(key)
    if (object === undefined) {
      this.#seen.delete(key)
      return before === undefined ? [] : othersThan(key, this.#index.delete(key))
    }
    const { uid = '', generation, creationTimestamp = '' } = object.metadata
    const isRolledBack = (object as BronzePipeline).status?.revision?.rolledBack !== undefined
    const beside = before?.beside === undefined && !isRolledBack ? undefined : runningIn(object, configMaps)
    if (before?.uid === uid && before.generation === generation && before.beside === beside) return []
    const { claims = before?.uid === uid ? before.claims : [], areOfSpec } = claimed(object, configMaps)
    this.#seen.set(key, { uid, generation, beside: areOfSpec ? undefined : runningIn(object, configMaps), claims })
    return othersThan(key, this.#index.set(key, { createdAtMs: Date.parse(creationTimestamp) || 0, uid, claims }))
  }

  /** What the pipeline may not have, since an older one has it. */
  holderOf(key: string): Taken | undefined {
    return this.#index.holderOf(key)
  }
}

/** Name of the revision that runs, once its ConfigMap is seen, and whether the spec was rolled back. */
function runningIn(object: KubeObject, configMaps: readonly KubeObject[]): string {
  const { status } = object as BronzePipeline
  const { name, rolledBack } = status?.revision ?? {}
  const isSeen = configMaps.some(({ metadata }) => metadata.name === name)
  return `${isSeen ? name : ''} ${rolledBack?.name ?? ''}`
}

/**
 * What the spec asks for, once it is carried out. Until then it is what runs: a plan is only a wish for the rest, a spec that
 * is not accepted changes nothing, and of one that was rolled back both may run. Undefined when it cannot be said.
 */
function claimed(
  object: KubeObject,
  configMaps: readonly KubeObject[]
): { readonly claims: readonly Claim[] | undefined; readonly areOfSpec: boolean } {
  const settled = settledOf(object)
  const { status = {} } = object as BronzePipeline
  const { revision, replicas = 0 } = status
  const isPlan = settled?.mode === 'Plan'
  if (settled !== undefined && !isPlan && revision?.rolledBack === undefined) {
    return { claims: claimsOf(settled), areOfSpec: true }
  }
  const known = knownRevisions(object.metadata.name, status, configMaps)
  const config = revision?.name === undefined ? undefined : known.get(revision.name)?.config
  const running = config === undefined ? undefined : settledOf(JSON.parse(config))
  const runs = running && claimsOf(running)
  if (settled === undefined) return { claims: runs, areOfSpec: false }
  // What runs is not told: it may be what the spec says.
  if (isPlan && runs === undefined && (revision !== undefined || replicas > 0))
    return { claims: claimsOf(settled), areOfSpec: false }
  const has = new Set(runs?.map(({ id }) => id))
  const more = claimsOf(settled).filter(({ id }) => !has.has(id))
  const wished = isPlan ? more.map(claim => ({ ...claim, isWish: true })) : more
  return { claims: [...(runs ?? []), ...wished], areOfSpec: false }
}

function settledOf(document: unknown): SettledPipeline | undefined {
  const parsed = judgeInCluster(parsePipeline(document))
  return parsed.ok ? settle(parsed.pipeline) : undefined
}

const othersThan = (key: string, keys: readonly string[]) => keys.filter(other => other !== key)
