import { celName } from '../lib/cel-name.ts'
import { celCompiler, type CelScope, type CelType } from '../lib/cel.ts'
import type { BronzePipeline } from './pipeline.ts'
import type { Problem } from './problem.ts'
import { settle } from './settle.ts'
import type { LiftedType, MetadataColumn, SettledTopic } from './settled.ts'

/** What is wrong with the quality rules of a pipeline that has no other problem: the API server cannot tell. */
export function qualityProblems(pipeline: BronzePipeline): readonly Problem[] {
  return settle(pipeline).topics.flatMap((topic, i) => {
    if (topic.quality === undefined) return []
    const compile = celCompiler(qualityScope(topic))
    return topic.quality.rules.flatMap(({ expression }, j) => {
      const compiled = compile(expression)
      if (compiled.ok) return []
      const { line, column, message } = compiled.mistake
      const path = `spec.topics[${i}].quality.rules[${j}].expression`
      return [{ path, message: `line ${line}, column ${column}: ${message}` }]
    })
  })
}

/**
 * What the rules of an entry may name: lifted columns, metadata columns that differ from record to record, and, where fields
 * of values become columns, any field: those are only known once records come.
 */
export function qualityScope({ columns, metadataColumns, schema }: SettledTopic): CelScope {
  const variables = new Map<string, CelType>()
  const add = (column: string, type: CelType | undefined) => {
    const name = celName(column)
    if (name !== undefined && type !== undefined) variables.set(name, type)
  }
  for (const { name, type } of columns) add(name, LIFTED[type])
  for (const column of metadataColumns) {
    if (column.isStagedOnly !== true) add(column.name, metadataType(column))
  }
  return { variables, isOpen: schema.mode === 'Inferred' || schema.mode === 'Registered' }
}

/** A date is its first moment in UTC, a decimal the nearest double. */
const LIFTED: Readonly<Record<LiftedType, CelType>> = {
  String: 'string',
  Int: 'int',
  Long: 'int',
  Float: 'double',
  Double: 'double',
  Decimal: 'double',
  Boolean: 'bool',
  Timestamp: 'timestamp',
  Date: 'timestamp'
}

/** Undefined for columns that have one value per commit or consumer, and for headers: these can be lifted. */
function metadataType({ source, type }: MetadataColumn): CelType | undefined {
  switch (source) {
    case 'Topic':
      return 'string'
    case 'Partition':
    case 'Offset':
    case 'SchemaVersion':
      return 'int'
    case 'Timestamp':
      return 'timestamp'
    case 'Key':
    case 'Value':
      return type === 'Binary' ? 'bytes' : 'string'
    case 'Headers':
    case 'IngestedAt':
    case 'IngestionDate':
    case 'IngestionHour':
    case 'IngestionId':
    case 'ConsumerId':
      return undefined
  }
}
