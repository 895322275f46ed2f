import { readFileSync } from 'node:fs'
import { partsOf, type Definition } from './definition.ts'

/** The part of a structural schema that the definition uses. */
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

/**
 * The CustomResourceDefinition as plain data: what the operator applies and the chart carries. Made from
 * `bronzepipeline.yaml`, as to read that text at each start would take a consumer a tenth of the start's CPU time, and
 * 10 MiB.
 */
export const definition = JSON.parse(
  readFileSync(new URL('./bronzepipeline.json', import.meta.url), 'utf8')
) as Definition

export const { pipelineSchema, apiVersion: API_VERSION, kind: KIND } = partsOf(definition)
