import type { Schema } from './schema.ts'

/**
 * TypeScript interfaces for a schema, one for each object with a `title`. A field is optional unless it is required or has
 * a default: the types are those of a pipeline whose defaults are filled.
 */
export function typesOf(root: Schema, rootName: string): string {
  const declared = new Map<string, string>()
  declare(root, rootName, declared)
  return [...declared.values()].join('\n\n')
}

function declare(schema: Schema, name: string, declared: Map<string, string>): void {
  if (declared.has(name)) return
  declared.set(name, '')
  const fields = Object.entries(schema.properties ?? {}).map(([key, field]) => {
    const optional = schema.required?.includes(key) === true || field.default !== undefined ? '' : '?'
    const type = key === 'metadata' && name === 'BronzePipeline' ? 'ObjectMeta' : typeOf(field, declared)
    const comment = field.description === undefined ? '' : `${docComment(field.description, '  ')}\n`
    return `${comment}  readonly ${/^\w+$/.test(key) ? key : `'${key}'`}${optional}: ${type}`
  })
  const heading = schema.description === undefined ? '' : `${docComment(schema.description, '')}\n`
  declared.set(name, `${heading}export interface ${name} {\n${fields.join('\n')}\n}`)
}

function typeOf(schema: Schema, declared: Map<string, string>): string {
  if (schema['x-kubernetes-int-or-string']) return 'number | string'
  if (schema.enum)
    return schema.enum.map(value => (typeof value === 'string' ? `'${value}'` : String(value))).join(' | ')
  switch (schema.type) {
    case 'array': {
      const item = typeOf(schema.items!, declared)
      return `readonly ${item.includes(' ') ? `(${item})` : item}[]`
    }
    case 'object':
      if (schema.additionalProperties)
        return `Readonly<Record<string, ${typeOf(schema.additionalProperties, declared)}>>`
      if (schema.title === undefined) throw new Error(`an object without a title: ${schema.description ?? ''}`)
      declare(schema, schema.title, declared)
      return schema.title
    case 'integer':
      return 'number'
    case 'string':
    case 'boolean':
      return schema.type
    case undefined:
      break
  }
  throw new Error(`a field without a type: ${schema.description ?? ''}`)
}

function docComment(text: string, indent: string): string {
  const lines = wrap(text.replaceAll('*/', '*\\/'), 116 - indent.length)
  if (lines.length === 1) return `${indent}/** ${lines[0]} */`
  return [`${indent}/**`, ...lines.map(line => `${indent} * ${line}`), `${indent} */`].join('\n')
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.trim().split(/\s+/)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
