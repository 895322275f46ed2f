import type { BronzePipeline } from '../crds/pipeline.ts'
import type { SettledPipeline } from '../crds/settled.ts'
import type { ParseResult } from '../crds/validate.ts'
import type { ClaimBook } from './claims/claim-book.ts'
import { knownRevisions, trustedNames } from './revision/current-revision.ts'
import {
  BUDGETS,
  CONFIG_MAPS,
  DEPLOYMENTS,
  PODS,
  SERVICE_ACCOUNTS,
  type Kube,
  type KubeObject,
  type ResourceType
} from './kube/kube.ts'
import { consumerName } from './objects/names.ts'
import type { Observed } from './plan.ts'
import { mountedSecrets } from './revision/revision.ts'
import type { Sampling } from './source/sampling.ts'
import { secretsOf } from './objects/secret-names.ts'
import type { SecretReader } from './kube/secrets.ts'
import type { Stores } from './kube/stores.ts'

export interface ObserverPorts {
  readonly kube: Kube
  readonly stores: Pick<Stores, 'get' | 'ofPipeline'>
  readonly sampling: Pick<Sampling, 'view'>
  readonly secrets: Pick<SecretReader, 'hash'>
  readonly claims: Pick<ClaimBook, 'holderOf'>
}

/** A pipeline that is about to be looked at. */
export interface Subject {
  readonly key: string
  readonly pipeline: BronzePipeline
  readonly parsed: ParseResult
  /** Undefined when the spec is not accepted. */
  readonly settled: SettledPipeline | undefined
}

/** All that is known of a pipeline: from our copies of the cluster, and what these cannot hold from the API server. */
export async function observe(
  { key, pipeline, parsed, settled }: Subject,
  ports: ObserverPorts,
  signal: AbortSignal
): Promise<Observed> {
  const { kube, stores, sampling, secrets, claims } = ports
  const { namespace = '', name } = pipeline.metadata
  const own = consumerName(name)
  // The copies hold only what has our label: an object of the same name that has not would be somebody else's.
  const get = async (type: ResourceType, name: string): Promise<KubeObject | undefined> =>
    stores.get(type, namespace, name) ?? kube.get(type, namespace, name, { signal })
  const needsAccount = settled?.consumer.serviceAccountName === undefined
  const configMaps = await allConfigMaps()
  const revisions = knownRevisions(name, pipeline.status ?? {}, configMaps).values()
  const mounted = [...revisions].flatMap(({ template }) => mountedSecrets(template))
  const named = settled === undefined ? [] : [...new Set([...secretsOf(settled), ...mounted])]
  // Of a new pipeline there is nothing yet: what has to be asked for is asked for at once.
  const [deployment, serviceAccount, budget, ...hashes] = await Promise.all([
    get(DEPLOYMENTS, own),
    needsAccount ? get(SERVICE_ACCOUNTS, own) : stores.get(SERVICE_ACCOUNTS, namespace, own),
    get(BUDGETS, own),
    ...named.map(async secret => [secret, await secrets.hash(namespace, secret)] as const)
  ])
  return {
    pipeline,
    parsed,
    deployment,
    serviceAccount,
    budget,
    configMaps,
    pods: stores.ofPipeline(PODS, namespace, name),
    secrets: new Map(hashes),
    claim: claims.holderOf(key),
    source: sampling.view(key)
  }

  async function allConfigMaps(): Promise<readonly KubeObject[]> {
    const copies = stores.ofPipeline(CONFIG_MAPS, namespace, name)
    // What the status names was made by us, or by the leader before us; a copy that lacks it is behind.
    const lacking = trustedNames(pipeline.status ?? {}).filter(
      name => !copies.some(({ metadata }) => metadata.name === name)
    )
    const found = await Promise.all(lacking.map(name => kube.get(CONFIG_MAPS, namespace, name, { signal })))
    return [...copies, ...found.filter(object => object !== undefined)]
  }
}
