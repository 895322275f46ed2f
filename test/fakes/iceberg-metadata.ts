import type { TableChange } from '../../consumer/sinks/iceberg/commit.ts'
import { parseJson, stringifyJson } from '../../consumer/sinks/json.ts'

/** Table metadata as the spec's JSON has it (Appendix C), as far as tests look into it. */
export interface TableJson {
  'format-version': number
  'table-uuid': string
  location: string
  'last-sequence-number': number
  'last-updated-ms': number
  'last-column-id': number
  'current-schema-id': number
  schemas: SchemaJson[]
  'default-spec-id': number
  'partition-specs': { 'spec-id': number; fields: readonly object[] }[]
  'last-partition-id': number
  'default-sort-order-id': number
  'sort-orders': { 'order-id': number; fields: readonly object[] }[]
  properties: Record<string, string>
  'current-snapshot-id': number | bigint
  refs: Record<string, RefJson>
  snapshots: SnapshotJson[]
  'snapshot-log': { 'snapshot-id': number | bigint; 'timestamp-ms': number }[]
  'metadata-log': readonly object[]
  'next-row-id'?: number
}

export interface SchemaJson {
  type: 'struct'
  'schema-id': number
  fields: readonly FieldJson[]
}

interface FieldJson {
  readonly id: number
  readonly name: string
  readonly required: boolean
  readonly type: TypeJson
  readonly doc?: string
}

type TypeJson =
  | string
  | { readonly type: 'struct'; readonly fields: readonly FieldJson[] }
  | { readonly type: 'list'; readonly 'element-id': number; readonly element: TypeJson }
  | {
      readonly type: 'map'
      readonly 'key-id': number
      readonly key: TypeJson
      readonly 'value-id': number
      readonly value: TypeJson
    }

interface RefJson {
  readonly 'snapshot-id': number | bigint
  readonly type: string
}

export interface SnapshotJson {
  readonly 'snapshot-id': number | bigint
  readonly 'parent-snapshot-id'?: number | bigint
  readonly 'sequence-number': number
  readonly 'timestamp-ms': number
  readonly 'manifest-list': string
  readonly 'schema-id'?: number
  readonly summary: Readonly<Record<string, string>>
  readonly 'first-row-id'?: number
  readonly 'added-rows'?: number
}

export interface CreateJson {
  readonly location?: string
  readonly schema: SchemaJson
  readonly 'partition-spec'?: { readonly fields: readonly Readonly<Record<string, unknown>>[] }
  readonly 'write-order'?: {
    readonly 'order-id': number
    readonly fields: readonly Readonly<Record<string, unknown>>[]
  }
  readonly properties?: Readonly<Record<string, string>>
}

export type RequirementJson = { readonly type: string } & Readonly<Record<string, unknown>>
export type UpdateJson = { readonly action: string } & Readonly<Record<string, unknown>>

const NO_SNAPSHOT = -1

/** The catalog numbers all fields itself, level by level; partition fields and sort fields follow their columns. */
export function newTable(
  request: CreateJson,
  { uuid, location, nowMs }: { readonly uuid: string; readonly location: string; readonly nowMs: number }
): TableJson {
  const numbered = renumbered(request.schema.fields)
  const { 'format-version': version = '2', ...properties } = request.properties ?? {}
  const specFields = (request['partition-spec']?.fields ?? []).map((field, index) => ({
    ...field,
    'source-id': numbered.ids.get(Number(field['source-id'])),
    'field-id': 1000 + index
  }))
  const sortFields = (request['write-order']?.fields ?? []).map(field => ({
    ...field,
    'source-id': numbered.ids.get(Number(field['source-id']))
  }))
  const orderId = sortFields.length === 0 ? 0 : 1
  return {
    'format-version': Number(version),
    'table-uuid': uuid,
    location: (request.location ?? location).replace(/\/$/, ''),
    'last-sequence-number': 0,
    'last-updated-ms': nowMs,
    'last-column-id': numbered.ids.size,
    'current-schema-id': 0,
    schemas: [{ type: 'struct', 'schema-id': 0, fields: numbered.fields }],
    'default-spec-id': 0,
    'partition-specs': [{ 'spec-id': 0, fields: specFields }],
    'last-partition-id': 999 + specFields.length,
    'default-sort-order-id': orderId,
    'sort-orders': [{ 'order-id': orderId, fields: sortFields }],
    properties: { ...properties },
    'current-snapshot-id': NO_SNAPSHOT,
    refs: {},
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
    ...(Number(version) >= 3 ? { 'next-row-id': 0 } : {})
  }
}

/** Makes a change as it comes over the wire, in place, if all its requirements hold; gives whether they do. */
export function applyChange(table: TableJson, change: TableChange, nowMs: number): boolean {
  const { requirements, updates } = parseJson(stringifyJson(change)) as {
    readonly requirements: readonly RequirementJson[]
    readonly updates: readonly UpdateJson[]
  }
  if (!requirements.every(each => holds(table, each))) return false
  for (const each of updates) applyUpdate(table, each, nowMs)
  table['last-updated-ms'] = Math.max(table['last-updated-ms'], nowMs)
  return true
}

/** Whether a table meets a requirement of a change. */
function holds(table: TableJson, requirement: RequirementJson): boolean {
  switch (requirement.type) {
    case 'assert-table-uuid':
      return requirement['uuid'] === table['table-uuid']
    case 'assert-ref-snapshot-id':
      return sameId(requirement['snapshot-id'], table.refs[String(requirement['ref'])]?.['snapshot-id'])
    case 'assert-current-schema-id':
      return requirement['current-schema-id'] === table['current-schema-id']
    case 'assert-last-assigned-field-id':
      return requirement['last-assigned-field-id'] === table['last-column-id']
    case 'assert-last-assigned-partition-id':
      return requirement['last-assigned-partition-id'] === table['last-partition-id']
    case 'assert-default-spec-id':
      return requirement['default-spec-id'] === table['default-spec-id']
    case 'assert-default-sort-order-id':
      return requirement['default-sort-order-id'] === table['default-sort-order-id']
    default:
      throw new Error(`a catalog answers 400 to the requirement ${requirement.type}`)
  }
}

/** Makes one update, in place; throws where a catalog would refuse it for ever. */
function applyUpdate(table: TableJson, update: UpdateJson, nowMs: number): void {
  switch (update.action) {
    case 'add-schema':
      addSchema(table, update['schema'] as SchemaJson)
      break
    case 'set-current-schema':
      table['current-schema-id'] =
        update['schema-id'] === -1 ? (table.schemas.at(-1)?.['schema-id'] ?? 0) : Number(update['schema-id'])
      break
    case 'set-properties':
      Object.assign(table.properties, update['updates'])
      break
    case 'remove-properties':
      for (const key of update['removals'] as string[]) delete table.properties[key]
      break
    case 'add-snapshot':
      addSnapshot(table, update['snapshot'] as SnapshotJson)
      break
    case 'set-snapshot-ref':
      setRef(table, update, nowMs)
      break
    case 'remove-snapshots':
      removeSnapshots(table, (update['snapshot-ids'] as unknown[]).map(String))
      break
    default:
      throw new Error(`a catalog answers 400 to the update ${update.action}`)
  }
}

function addSchema(table: TableJson, schema: SchemaJson): void {
  const next = Math.max(...table.schemas.map(each => each['schema-id'])) + 1
  const ids = [...idsOf(schema.fields)]
  if (new Set(ids).size !== ids.length) throw new Error('a catalog refuses a schema that uses an id twice')
  table.schemas.push({ ...schema, 'schema-id': next })
  table['last-column-id'] = Math.max(table['last-column-id'], ...ids)
}

function addSnapshot(table: TableJson, snapshot: SnapshotJson): void {
  const id = snapshot['snapshot-id']
  if (table.snapshots.some(each => sameId(each['snapshot-id'], id))) throw new Error(`snapshot ${id} is there already`)
  if (snapshot['sequence-number'] <= table['last-sequence-number'])
    throw new Error(`sequence number ${snapshot['sequence-number']} is not above ${table['last-sequence-number']}`)
  if (snapshot['timestamp-ms'] < table['last-updated-ms'] - 60_000) throw new Error('a snapshot comes from the past')
  if (snapshot.summary['operation'] === undefined) throw new Error('a summary names its operation')
  if (table['next-row-id'] !== undefined) {
    if (snapshot['first-row-id'] !== table['next-row-id']) throw new Error('a snapshot begins at the next row id')
    table['next-row-id'] += snapshot['added-rows'] ?? 0
  }
  table.snapshots.push(snapshot)
  table['last-sequence-number'] = snapshot['sequence-number']
}

function setRef(table: TableJson, update: UpdateJson, nowMs: number): void {
  const id = update['snapshot-id'] as number | bigint
  if (!table.snapshots.some(each => sameId(each['snapshot-id'], id))) throw new Error(`there is no snapshot ${id}`)
  const name = String(update['ref-name'])
  table.refs[name] = { 'snapshot-id': id, type: String(update['type']) }
  if (name !== 'main') return
  table['current-snapshot-id'] = id
  table['snapshot-log'].push({ 'snapshot-id': id, 'timestamp-ms': nowMs })
}

function removeSnapshots(table: TableJson, ids: readonly string[]): void {
  for (const [name, ref] of Object.entries(table.refs)) {
    if (ids.includes(String(ref['snapshot-id']))) throw new Error(`${name} still needs a snapshot that is removed`)
  }
  table.snapshots = table.snapshots.filter(each => !ids.includes(String(each['snapshot-id'])))
  table['snapshot-log'] = table['snapshot-log'].filter(each => !ids.includes(String(each['snapshot-id'])))
}

/** Undefined, null and -1 are no snapshot. */
function sameId(one: unknown, other: unknown): boolean {
  const text = (id: unknown) =>
    typeof id === 'bigint' || (typeof id === 'number' && id !== NO_SNAPSHOT) ? String(id) : ''
  return text(one) === text(other)
}

function* idsOf(fields: readonly FieldJson[]): Generator<number> {
  for (const { id, type } of fields) {
    yield id
    yield* nestedIds(type)
  }
}

function* nestedIds(type: TypeJson): Generator<number> {
  if (typeof type === 'string') return
  if (type.type === 'struct') yield* idsOf(type.fields)
  else if (type.type === 'list') {
    yield type['element-id']
    yield* nestedIds(type.element)
  } else {
    yield type['key-id']
    yield type['value-id']
    yield* nestedIds(type.key)
    yield* nestedIds(type.value)
  }
}

function renumbered(fields: readonly FieldJson[]): { fields: readonly FieldJson[]; ids: ReadonlyMap<number, number> } {
  const ids = new Map<number, number>()
  const fresh = (old: number) => {
    ids.set(old, ids.size + 1)
    return ids.size
  }
  const struct = (each: readonly FieldJson[]): readonly FieldJson[] => {
    const numbered = each.map(field => ({ ...field, id: fresh(field.id) }))
    return numbered.map(field => ({ ...field, type: nested(field.type) }))
  }
  const nested = (type: TypeJson): TypeJson => {
    if (typeof type === 'string') return type
    if (type.type === 'struct') return { ...type, fields: struct(type.fields) }
    if (type.type === 'list') {
      const id = fresh(type['element-id'])
      return { ...type, 'element-id': id, element: nested(type.element) }
    }
    const [keyId, valueId] = [fresh(type['key-id']), fresh(type['value-id'])]
    return { ...type, 'key-id': keyId, 'value-id': valueId, key: nested(type.key), value: nested(type.value) }
  }
  return { fields: struct(fields), ids }
}
