import { definition } from '../../crds/schema.ts'
import type { Log } from '../../lib/log.ts'
import { DEFINITIONS, type Kube, type KubeObject } from './kube.ts'

/**
 * Brings the resource definition in the cluster to this program's version: Helm installs what lies in a chart's `crds/` once
 * and never changes it. Trouble is told and does not stop the operator, which may work with what is there.
 */
export async function upgradeDefinition(kube: Kube, log: Log): Promise<void> {
  const object = definition as unknown as KubeObject
  try {
    await kube.apply(DEFINITIONS, object)
    log.info('the resource definition is up to date', { definition: object.metadata.name })
  } catch (error) {
    log.error('the resource definition could not be brought up to date', { definition: object.metadata.name }, error)
  }
}
