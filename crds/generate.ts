import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { partsOf, type Definition } from './definition.ts'
import { referenceOf } from './generate-reference.ts'
import { typesOf } from './generate-types.ts'

export const definitionUrl = new URL('./bronzepipeline.yaml', import.meta.url)

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
  const text = readFileSync(definitionUrl, 'utf8')
  const definition = parse(text, { merge: true }) as Definition
  const { pipelineSchema, apiVersion, kind } = partsOf(definition)
  return new Map([
    ['crds/bronzepipeline.json', `${JSON.stringify(definition, undefined, 1)}\n`],
    ['crds/pipeline.ts', `${HEADER}\n${typesOf(pipelineSchema, kind)}\n\n${OBJECT_META}\n`],
    ['docs/reference.md', referenceOf(pipelineSchema, apiVersion, kind)],
    ['helm/bronze-operator/crds/bronzepipeline.yaml', text],
    ['deploy/kustomize/base/bronzepipeline.yaml', text]
  ])
}

// Also true when the launcher imports it, which makes it no main module.
if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const [path, text] of generated()) {
    writeFileSync(new URL(`../${path}`, import.meta.url), text)
    console.log(`wrote ${path}`)
  }
}
