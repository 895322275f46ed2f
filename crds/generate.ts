import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { referenceOf } from './generate-reference.ts'
import { typesOf } from './generate-types.ts'
import { API_VERSION, definitionUrl, KIND, pipelineSchema } from './schema.ts'

const HEADER = '// Made from crds/bronzepipeline.yaml by `npm run generate`; change that file, not this one.\n'

const OBJECT_META = `/** The part of Kubernetes' ObjectMeta that we read. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
}`

/** Every file made from the definition, by path from the repository's root. */
export function generated(): ReadonlyMap<string, string> {
  return new Map([
    ['crds/pipeline.ts', `${HEADER}\n${typesOf(pipelineSchema, KIND)}\n\n${OBJECT_META}\n`],
    ['docs/reference.md', referenceOf(pipelineSchema, API_VERSION, KIND)],
    ['helm/bronze-operator/crds/bronzepipeline.yaml', readFileSync(definitionUrl, 'utf8')]
  ])
}

// Also true when the launcher imports it, which makes it no main module.
if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const [path, text] of generated()) {
    writeFileSync(new URL(`../${path}`, import.meta.url), text)
    console.log(`wrote ${path}`)
  }
}
