import type { BronzePipeline } from '../../crds/pipeline.ts'
import type { SettledConsumer } from '../../crds/settled-consumer.ts'
import { BUDGETS, DEPLOYMENTS, SERVICE_ACCOUNTS, type KubeObject } from '../kube/kube.ts'
import { consumerName, RESTART_SECRETS, SECRETS_HASH, selectorLabels, shortHash } from './names.ts'
import { owned } from './owned.ts'
import { restartSecrets, type PodTemplate } from '../revision/revision.ts'

/** Without permission for anything: pods only need to be somebody. */
export const serviceAccount = (pipeline: BronzePipeline): KubeObject =>
  owned(pipeline, SERVICE_ACCOUNTS, consumerName(pipeline.metadata.name), { automountServiceAccountToken: false })

/** A drain of nodes takes one consumer at a time; one that cannot start does not stand in its way. */
export function budget(pipeline: BronzePipeline): KubeObject {
  const { name } = pipeline.metadata
  return owned(pipeline, BUDGETS, consumerName(name), {
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: selectorLabels(name) }
    }
  })
}

/** What a Deployment is made from beside its pipeline. */
export interface Sized {
  readonly template: PodTemplate
  readonly rollout: SettledConsumer['rollout']
  readonly replicas: number
  /** Hash of the values of each Secret, by name; undefined when there is no such Secret. */
  readonly secrets: ReadonlyMap<string, string | undefined>
}

export function deployment(pipeline: BronzePipeline, { template, rollout, replicas, secrets }: Sized): KubeObject {
  const { name } = pipeline.metadata
  return owned(pipeline, DEPLOYMENTS, consumerName(name), {
    spec: {
      replicas,
      revisionHistoryLimit: 2,
      progressDeadlineSeconds: 600,
      selector: { matchLabels: selectorLabels(name) },
      // A full stop is two rebalances in all, replacing one by one is two for each.
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: 0, maxUnavailable: rollout === 'Recreate' ? '100%' : 1 }
      },
      template: withSecretsHash(template, secrets)
    }
  })
}

/** So that a Secret that consumers read at their start alone brings new ones when it changes. */
function withSecretsHash(template: PodTemplate, secrets: Sized['secrets']): PodTemplate {
  const names = restartSecrets(template)
  // 0.1.0 marks all pods, also those without Secrets: they are to stay as they are.
  if (names.length === 0 && template.metadata.annotations?.[RESTART_SECRETS] !== undefined) return template
  // The form of the text must stay as it is from version to version: another one would restart all consumers.
  const hash = shortHash(JSON.stringify(names.map(name => [name, secrets.get(name)])))
  const annotations = { ...template.metadata.annotations, [SECRETS_HASH]: hash }
  return { ...template, metadata: { ...template.metadata, annotations } }
}
