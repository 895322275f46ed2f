import { KubeError, type Kube, type KubeObject } from '../kube/kube.ts'
import { objectDiff } from './object-diff.ts'
import type { Action } from '../actions.ts'

/** What an action would do. */
export interface PlannedChange {
  readonly do: 'create' | 'change' | 'delete'
  readonly kind: string
  readonly name: string
  /** As `objectDiff` gives it; empty for a deletion and where the API server refuses. */
  readonly diff: readonly string[]
  /** Why the API server would not take the object. */
  readonly refusal?: string
}

/** By a quota, a policy, missing permission, a missing namespace, or because a field is not valid. */
const REFUSALS = new Set([400, 403, 404, 422])

/**
 * Asks the API server what each action would change, and changes nothing: actions that would change nothing are left out.
 * Throws KubeError when there is no answer.
 */
export async function dryRun(kube: Kube, actions: readonly Action[]): Promise<readonly PlannedChange[]> {
  const changes: PlannedChange[] = []
  for (const action of actions) {
    const change = await planned(kube, action)
    if (change !== undefined) changes.push(change)
  }
  return changes
}

async function planned(kube: Kube, { do: verb, type, object }: Action): Promise<PlannedChange | undefined> {
  const { kind } = type
  const { namespace, name } = object.metadata
  const before = await kube.get(type, namespace, name)
  if (verb === 'delete') return before && { do: 'delete', kind, name, diff: [] }
  const what = { do: before === undefined ? 'create' : 'change', kind, name } as const
  let after: KubeObject
  try {
    after = await kube.apply(type, object, { dryRun: true })
  } catch (error) {
    if (!(error instanceof KubeError && REFUSALS.has(error.status))) throw error
    return { ...what, diff: [], refusal: error.message }
  }
  const diff = objectDiff(before, after)
  return diff.length === 0 && before !== undefined ? undefined : { ...what, diff }
}
