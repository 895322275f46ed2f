import type { CelRule, Schema } from './schema.ts'

/** A page in Markdown with a table for each object: field, type, default and limits, meaning; then the rules. */
export function referenceOf(root: Schema, apiVersion: string, kind: string): string {
  const sections = ['spec', 'status'].flatMap(name => sectionsOf(root.properties![name]!, name))
  return (
    [
      `# ${kind} reference`,
      `Made from \`crds/bronzepipeline.yaml\` by \`npm run generate\`. \`apiVersion: ${apiVersion}\`, \`kind: ${kind}\`, short name \`bp\`.`,
      root.description!,
      ...rulesOf(root, kind),
      `Fields in **bold** are required. A field that is not listed here is refused.`,
      ...sections
    ].join('\n\n') + '\n'
  )
}

function sectionsOf(schema: Schema, path: string): readonly string[] {
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) =>
    row(name, field, path, schema.required ?? [])
  )
  const nested = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const object = field.type === 'array' ? field.items! : field
    return object.properties ? sectionsOf(object, fieldPath(path, name, field)) : []
  })
  return [
    `## ${path}\n\n<a id="${anchor(path)}"></a>`,
    ...(schema.description === undefined ? [] : [schema.description]),
    ['| field | type | default | limits | meaning |', '|---|---|---|---|---|', ...rows].join('\n'),
    ...rulesOf(schema, path),
    ...nested
  ]
}

function row(name: string, field: Schema, path: string, required: readonly string[]): string {
  const id = anchor(`${path}.${name}`)
  const inner = field.type === 'array' ? field.items! : field
  const label = required.includes(name) ? `**\`${name}\`**` : `\`${name}\``
  const linked = inner.properties ? `[${typeText(field)}](#${anchor(fieldPath(path, name, field))})` : typeText(field)
  const ownAnchor = inner.properties && field.type !== 'array' ? '' : `<a id="${id}"></a>`
  const defaultText = field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``
  const cells = [`${ownAnchor}${label}`, linked, defaultText, limits(field), field.description ?? '']
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
}

function typeText(schema: Schema): string {
  if (schema['x-kubernetes-int-or-string']) return 'number or string'
  if (schema.enum) return schema.enum.map(value => `\`${String(value)}\``).join(', ')
  if (schema.type === 'array')
    return `list of ${schema.items!.type === 'object' ? 'objects' : `${typeText(schema.items!)}s`}`
  if (schema.additionalProperties) return `map to ${typeText(schema.additionalProperties)}`
  return schema.format === undefined ? schema.type! : `${schema.type} (${schema.format})`
}

function limits(schema: Schema): string {
  const keys = schema['x-kubernetes-list-map-keys']
  return [
    range(schema.minimum, schema.maximum, ''),
    range(schema.minItems, schema.maxItems, ' items'),
    range(schema.minLength, schema.maxLength, ' characters'),
    range(undefined, schema.maxProperties, ' entries'),
    keys ? `unique by ${keys.map(key => `\`${key}\``).join(', ')}` : '',
    schema.pattern === undefined ? '' : `\`${schema.pattern}\``,
    ...(schema.type === 'object' && schema.properties ? [] : (schema['x-kubernetes-validations'] ?? [])).map(
      rule => rule.message
    ),
    schema.items && schema.items.type !== 'object' ? limits(schema.items) : ''
  ]
    .filter(text => text !== '')
    .join('; ')
}

function range(minimum: number | undefined, maximum: number | undefined, unit: string): string {
  if (minimum === undefined && maximum === undefined) return ''
  if (maximum === undefined) return `at least ${minimum}${unit}`
  return minimum === undefined ? `at most ${maximum}${unit}` : `${minimum} to ${maximum}${unit}`
}

function rulesOf(schema: Schema, path: string): readonly string[] {
  const rules = [...(schema['x-kubernetes-validations'] ?? [])]
  const ofLists = Object.values(schema.properties ?? {}).flatMap(field => listItemRules(field))
  const lines = [...rules, ...ofLists].map(
    rule => `- ${rule.fieldPath === undefined ? '' : `\`${rule.fieldPath.slice(1)}\`: `}${rule.message}`
  )
  return lines.length === 0 ? [] : [`Rules of \`${path}\`:`, lines.join('\n')]
}

/** Rules of items that have no section of their own. */
function listItemRules(field: Schema): readonly CelRule[] {
  return field.items && !field.items.properties ? (field.items['x-kubernetes-validations'] ?? []) : []
}

const fieldPath = (path: string, name: string, field: Schema) => `${path}.${name}${field.type === 'array' ? '[]' : ''}`
const anchor = (path: string) => path.replaceAll('[]', '').replaceAll('.', '-').toLowerCase()
