import { settle } from '../../crds/settle.ts'
import { parsePipeline } from '../../crds/validate.ts'
import { ClaimIndex, type Taken } from './claim-index.ts'
import { claimsOf, type Claim } from './claims.ts'
import { judgeInCluster } from '../in-cluster.ts'
import type { KubeObject } from '../kube/kube.ts'

interface Seen {
  readonly uid: string
  readonly generation: number | undefined
  readonly claims: readonly Claim[]
}

/**
 * Who has what, of all pipelines in the cluster. It follows the copy of the pipelines itself, not their reconciles: the
 * first reconcile of a pipeline must know of all others.
 */
export class ClaimBook {
  readonly #index = new ClaimIndex()
  readonly #seen = new Map<string, Seen>()

  /** The pipeline as it is now; undefined when it is gone. Gives the other pipelines that this matters to. */
  observe(key: string, object: KubeObject | undefined): readonly string[] {
    const before = this.#seen.get(key)
    if (object === undefined) {
      this.#seen.delete(key)
      return before === undefined ? [] : othersThan(key, this.#index.delete(key))
    }
    const { uid = '', generation, creationTimestamp = '' } = object.metadata
    if (before?.uid === uid && before.generation === generation) return []
    const claims = claimed(object) ?? (before?.uid === uid ? before.claims : [])
    this.#seen.set(key, { uid, generation, claims })
    return othersThan(key, this.#index.set(key, { createdAtMs: Date.parse(creationTimestamp) || 0, uid, claims }))
  }

  /** What the pipeline may not have, since an older one has it. */
  holderOf(key: string): Taken | undefined {
    return this.#index.holderOf(key)
  }
}

/** Undefined for a spec that is not accepted: what runs is left as it is, and so is what it has. */
function claimed(object: KubeObject): readonly Claim[] | undefined {
  const parsed = judgeInCluster(parsePipeline(object))
  return parsed.ok ? claimsOf(settle(parsed.pipeline)) : undefined
}

const othersThan = (key: string, keys: readonly string[]) => keys.filter(other => other !== key)
