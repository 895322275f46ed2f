import type { Schema } from './schema.ts'

/** So much of a CustomResourceDefinition as is read here. */
export interface Definition {
  readonly spec: {
    readonly group: string
    readonly names: { readonly kind: string }
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[]
  }
}

export function partsOf({ spec: { group, names, versions } }: Definition) {
  const version = versions[0]!
  return { pipelineSchema: version.schema.openAPIV3Schema, apiVersion: `${group}/${version.name}`, kind: names.kind }
}
