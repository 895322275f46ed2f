import type { BronzePipeline } from '../../crds/pipeline.ts'
import { settle } from '../../crds/settle.ts'
import { parsePipeline, type ParseResult } from '../../crds/validate.ts'
import { systemClock } from '../../lib/clock.ts'
import { ClaimBook } from '../../operator/claims/claim-book.ts'
import type { SourceView } from '../../operator/facts.ts'
import { judgeInCluster } from '../../operator/in-cluster.ts'
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  keyOf,
  PIPELINES,
  PODS,
  type KubeObject,
  type ResourceType
} from '../../operator/kube/kube.ts'
import { ownLabels, selectorText } from '../../operator/objects/names.ts'
import { observe } from '../../operator/observe.ts'
import type { Observed } from '../../operator/plan.ts'
import { SecretReader } from '../../operator/kube/secrets.ts'
import { ifAllowed, listAll, type Cluster } from './cluster.ts'

/** A pipeline as the operator would see it, and what of that we could not see. */
export interface OperatorView {
  readonly observed: Observed
  /** Image that the operator gives to new consumers. */
  readonly image: string
  readonly gaps: readonly Gap[]
}

/** Secrets: whether consumers must restart for one. Image: what new consumers would run. Others: who claims the same. */
export type Gap = 'Secrets' | 'Image' | 'Others'

const NEVER = new AbortController().signal

/** Looks with the operator's own code. Throws KubeError. */
export async function operatorView(
  cluster: Cluster,
  pipeline: BronzePipeline,
  source: SourceView
): Promise<OperatorView> {
  const gaps = new Set<Gap>()
  const parsed = judgeInCluster(parsePipeline(pipeline))
  const { namespace = '', name } = pipeline.metadata
  const labelSelector = selectorText(ownLabels(name))
  const list = async (type: ResourceType) => await listAll(cluster, type, { namespace, labelSelector })
  const copies = new Map<ResourceType, readonly KubeObject[]>([
    [CONFIG_MAPS, await list(CONFIG_MAPS)],
    [PODS, await list(PODS)]
  ])
  const secrets = new SecretReader(cluster.kube, systemClock)
  const ports = {
    kube: cluster.kube,
    // Nothing is kept here: what is not in a list is asked for by its name.
    stores: { get: () => undefined, ofPipeline: (type: ResourceType) => copies.get(type) ?? [] },
    sampling: { view: () => source },
    secrets: {
      hash: async (namespace: string, name: string) => {
        const hash = await ifAllowed(secrets.hash(namespace, name).then(hash => ({ hash })))
        if (hash === undefined) gaps.add('Secrets')
        return hash === undefined ? HIDDEN : hash.hash
      }
    },
    claims: await claimsBeside(cluster, pipeline, gaps)
  }
  const subject = { key: keyOf(pipeline), pipeline, parsed, settled: settledOf(parsed) }
  const observed = await observe(subject, ports, NEVER)
  return { observed, image: await imageOf(cluster, parsed.ok ? parsed.pipeline : undefined, gaps), gaps: [...gaps] }
}

/** A Secret that we may not read is taken to be there. */
const HIDDEN = 'hidden'

const settledOf = (parsed: ParseResult) => (parsed.ok ? settle(parsed.pipeline) : undefined)

/** Who has what, with the pipeline as it would be. */
async function claimsBeside(cluster: Cluster, pipeline: BronzePipeline, gaps: Set<Gap>): Promise<ClaimBook> {
  const { namespace } = pipeline.metadata
  const all = await ifAllowed(listAll(cluster, PIPELINES, { namespace: undefined }))
  if (all === undefined) gaps.add('Others')
  const others = all ?? (await listAll(cluster, PIPELINES, { namespace }))
  const book = new ClaimBook()
  for (const other of others) if (keyOf(other) !== keyOf(pipeline)) book.observe(keyOf(other), other)
  book.observe(keyOf(pipeline), pipeline)
  return book
}

interface OperatorDeployment extends KubeObject {
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly {
          readonly env?: readonly { readonly name: string; readonly value?: string }[]
        }[]
      }
    }
  }
}

export const OPERATOR_SELECTOR = 'app.kubernetes.io/name=bronze-operator'
const UNKNOWN_IMAGE = 'image-of-the-operator'

async function imageOf(cluster: Cluster, pipeline: BronzePipeline | undefined, gaps: Set<Gap>): Promise<string> {
  if (pipeline === undefined) return UNKNOWN_IMAGE
  const { image, upgrade } = pipeline.spec.consumer
  const isFrozen = pipeline.status?.image !== undefined && upgrade !== 'Automatic'
  if (image !== undefined || isFrozen) return image ?? UNKNOWN_IMAGE
  const found = await ifAllowed(
    listAll(cluster, DEPLOYMENTS, { namespace: undefined, labelSelector: OPERATOR_SELECTOR })
  )
  const containers = ((found ?? []) as readonly OperatorDeployment[]).flatMap(
    ({ spec }) => spec?.template?.spec?.containers ?? []
  )
  const value = containers.flatMap(({ env = [] }) => env).find(({ name }) => name === 'CONSUMER_IMAGE')?.value
  if (value === undefined) gaps.add('Image')
  return value ?? UNKNOWN_IMAGE
}
