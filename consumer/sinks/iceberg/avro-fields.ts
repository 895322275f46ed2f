import { Malformed, asInteger, asList, asObject, asText } from './checked.ts'

/** A field of a record in a manifest or manifest list. Its id counts, not its name (spec, Appendix A). */
export interface AvroField {
  readonly id: number
  readonly name: string
  readonly type: string | object
  readonly isOptional?: boolean
}

export const avroFields = (fields: readonly AvroField[]): readonly object[] =>
  fields.map(({ id, name, type, isOptional }) => ({
    name,
    type: isOptional === true ? ['null', type] : type,
    ...(isOptional === true ? { default: null } : {}),
    'field-id': id
  }))

/** A map with integer keys, which Avro's own maps cannot have. */
export const avroMap = (keyId: number, valueId: number, value: string): object => ({
  type: 'array',
  logicalType: 'map',
  items: {
    type: 'record',
    name: `k${keyId}_v${valueId}`,
    fields: avroFields([
      { id: keyId, name: 'key', type: 'int' },
      { id: valueId, name: 'value', type: value }
    ])
  }
})

/** Reads fields of decoded records by id; undefined for those that the writer's schema lacks. Throws Malformed. */
export function readById(schema: unknown): (record: unknown, id: number) => unknown {
  const names = new Map(fieldsOf(schema).map(({ id, name }) => [id, name]))
  return (record, id) => {
    const name = names.get(id)
    return name === undefined ? undefined : asObject(record, 'record')[name]
  }
}

/** The fields of a record's schema. Throws Malformed. */
export function fieldsOf(schema: unknown): readonly AvroField[] {
  return asList(asObject(schema, 'schema')['fields'], 'fields of a record').map(each => {
    const field = asObject(each, 'field of a record')
    const [id, name, type] = [field['field-id'], field['name'], field['type']]
    const given = Array.isArray(type) ? (type as readonly unknown[]).find(branch => branch !== 'null') : type
    if (typeof given !== 'string' && (typeof given !== 'object' || given === null))
      throw new Malformed('a field of a record has no type')
    return { id: asInteger(id, 'field-id'), name: asText(name, 'name of a field'), type: given }
  })
}

/** Avro allows fewer characters in names than Iceberg; others are written as the reference implementation does. */
export const avroName = (name: string): string =>
  name
    .replace(/^\d/, '_$&')
    .replaceAll(/[^A-Za-z0-9_]/gu, character => `_x${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}`)
