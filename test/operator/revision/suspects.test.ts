import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settle } from '../../../crds/settle.ts'
import { render } from '../../../operator/objects/pod-template.ts'
import { hitsBoth } from '../../../operator/revision/suspects.ts'
import { aPipeline } from '../given.ts'

const rendering = (spec: object = {}, image = 'bronze:1') => {
  const pipeline = aPipeline(spec)
  return render({ pipeline, settled: settle(pipeline), image }, 'config')
}
const before = rendering()
const interval = { batch: { triggerInterval: '20s' } }
const servers = { source: { bootstrapServers: ['kafak:9092'] } }
const topics = { topics: [{ name: 'payments', table: 'bronze.payments', format: 'Json' }] }
const place = { sink: { delta: { location: 's3://other/warehouse', s3: { credentialsSecretRef: { name: 'minio' } } } } }
const memory = { consumer: { resources: { limits: { memory: '900Gi' } } } }

/** What fails, seen by whom, after which change, and whether the version before would fail as well. */
const cases: readonly (readonly [string, 'Source' | 'Consumer', ReturnType<typeof rendering>, boolean])[] = [
  ['SourceUnreachable', 'Source', rendering(interval), true],
  ['SourceUnreachable', 'Source', rendering(topics), true],
  // A new image does not keep the operator from reaching the brokers.
  ['SourceUnreachable', 'Source', rendering({}, 'bronze:2'), true],
  ['SourceUnreachable', 'Source', rendering(servers), false],
  ['SourceAuthenticationFailed', 'Consumer', rendering(interval), true],
  ['SourceAuthorizationFailed', 'Consumer', rendering(topics), false],
  ['SourceTruncated', 'Consumer', rendering({}, 'bronze:2'), false],
  ['S3AccessDenied', 'Consumer', rendering(interval), true],
  ['S3AccessDenied', 'Consumer', rendering(place), false],
  ['CatalogNotFound', 'Consumer', rendering(servers), true],
  ['TableOwnedByOther', 'Consumer', rendering(interval), true],
  ['TableOwnedByOther', 'Consumer', rendering(topics), false],
  ['ImagePullBackOff', 'Consumer', rendering(interval), true],
  ['ErrImagePull', 'Consumer', rendering({}, 'bronze:2'), false],
  ['ImagePullBackOff', 'Consumer', rendering({ consumer: { imagePullSecrets: [{ name: 'x' }] } }), false],
  ['Unschedulable', 'Consumer', rendering(interval), true],
  ['Unschedulable', 'Consumer', rendering(memory), false],
  ['Unschedulable', 'Consumer', rendering({ consumer: { nodeSelector: { disk: 'fast' } } }), false],
  ['DeadLetterStop', 'Consumer', rendering(interval), true],
  ['DeadLetterStop', 'Consumer', rendering({ deadLetters: { policy: 'Stop' } }), false],
  // What may come from anywhere comes from the change.
  ['InvalidPipeline', 'Consumer', rendering(interval), false],
  ['OutOfMemory', 'Consumer', rendering(interval), false],
  ['ConsumerFailed', 'Consumer', rendering({}, 'bronze:2'), false]
]

for (const [reason, seenBy, after, expected] of cases) {
  const changed = Object.keys(diff(before, after)).join(', ')
  test(`${reason} after a change of ${changed} ${expected ? 'would hit' : 'need not hit'} the version before`, () => {
    assert.equal(hitsBoth({ reason, seenBy }, after, before), expected)
  })
}

/** The fields of the spec, or of the pods, in which two differ. */
function diff(a: ReturnType<typeof rendering>, b: ReturnType<typeof rendering>): Record<string, true> {
  const fields = ({ config, template }: typeof a) => ({
    ...(JSON.parse(config) as { spec: Record<string, unknown> }).spec,
    ...template.spec,
    containers: undefined,
    ...template.spec.containers[0]
  })
  const [old, now] = [fields(a), fields(b)] as Record<string, unknown>[]
  const names = Object.keys({ ...old, ...now }).filter(
    name => JSON.stringify(old?.[name]) !== JSON.stringify(now?.[name])
  )
  return Object.fromEntries(names.map(name => [name, true] as const))
}
