import { readPipelines } from '../../crds/documents.ts'
import { settle } from '../../crds/settle.ts'
import type { SettledPipeline } from '../../crds/settled.ts'

/** A settled pipeline from the text of the `spec`, in YAML; source and sink are there by themselves. */
export function pipelineOf(spec: string): SettledPipeline {
  const indented = spec
    .trim()
    .split('\n')
    .map(line => `  ${line}\n`)
    .join('')
  const text = `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: shop, namespace: lake}
spec:
${/^source:/m.test(spec) ? '' : "  source: {bootstrapServers: ['kafka:9092']}\n"}${/^sink:/m.test(spec) ? '' : '  sink: {delta: {location: "file:///tables"}}\n'}${indented}`
  const { pipelines, problems } = readPipelines(text, 'test')
  const [pipeline] = pipelines
  if (pipeline === undefined || problems.length > 0) {
    throw new Error(problems.map(({ path, message }) => `${path}: ${message}`).join('\n'))
  }
  return settle(pipeline)
}
