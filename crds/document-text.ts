import { stringify } from 'yaml'
import type { BronzePipeline } from './pipeline.ts'
import { pipelineSchema } from './schema.ts'
import { withoutDefaults } from './without-defaults.ts'

/** A manifest as somebody would write it: YAML, without what the schema fills in by itself. */
export function documentText({ apiVersion, kind, metadata, spec }: BronzePipeline): string {
  const written = withoutDefaults(spec, pipelineSchema.properties?.['spec'])
  return stringify({ apiVersion, kind, metadata, spec: written }, { lineWidth: 0 })
}
