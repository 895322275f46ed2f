import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** The part of a structural schema that `bronzepipeline.yaml` uses. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly format?: 'int32' | 'int64' | 'date-time'
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly maxProperties?: number
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly 'x-kubernetes-int-or-string'?: true
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-validations'?: readonly CelRule[]
}

export interface CelRule {
  readonly rule: string
  readonly message: string
  /** Where a problem is shown, below the place that the rule stands at: `.topics`. */
  readonly fieldPath?: string
}

interface Definition {
  readonly spec: {
    readonly group: string
    readonly names: { readonly kind: string }
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[]
  }
}

export const definitionUrl = new URL('./bronzepipeline.yaml', import.meta.url)

/** The CustomResourceDefinition as plain data: what the operator applies and the chart carries. */
export const definition = parse(readFileSync(definitionUrl, 'utf8'), { merge: true }) as Definition

const version = definition.spec.versions[0]!

export const pipelineSchema: Schema = version.schema.openAPIV3Schema
export const API_VERSION = `${definition.spec.group}/${version.name}`
export const KIND = definition.spec.names.kind
