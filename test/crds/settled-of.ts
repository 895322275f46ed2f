import assert from 'node:assert/strict'
import { settle } from '../../crds/settle.ts'
import type { SettledPipeline } from '../../crds/settled.ts'
import { parsePipeline } from '../../crds/validate.ts'

export const iceberg = (more: object) => ({ iceberg: { catalog: { uri: 'http://catalog:8181' }, ...more } })
export const snowflake = (more: object) => ({
  snowflake: { account: 'acme-analytics', database: 'COMMERCE', credentialsSecretRef: { name: 'key' }, ...more }
})
export const delta = (more: object) => ({ delta: { location: 's3://lake/bronze', ...more } })

export function manifest(spec: object) {
  return {
    apiVersion: 'bronze.dev/v1alpha1',
    kind: 'BronzePipeline',
    metadata: { name: 'taxi', namespace: 'lakehouse' },
    spec: {
      source: { bootstrapServers: ['kafka:9092'] },
      topics: [{ name: 'trips', table: 'bronze.trips' }],
      sink: delta({}),
      ...spec
    }
  }
}

export function settledOf(spec: object): SettledPipeline {
  const result = parsePipeline(manifest(spec))
  if (!result.ok) assert.fail(JSON.stringify(result.problems))
  return settle(result.pipeline)
}
