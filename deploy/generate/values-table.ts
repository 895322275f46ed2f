/** The part of JSON Schema that values.schema.json is made of. */
export interface ValueSchema {
  readonly description?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly string[]
  readonly properties?: Readonly<Record<string, ValueSchema>>
}

/** A table in Markdown: every value, its default, and what its schema says of it. */
export function valuesTable(schema: ValueSchema, defaults: unknown): string {
  const lines = rows(schema, defaults, '').map(
    ([path, value, text]) => `| \`${path}\` | ${value} | ${text.replaceAll('|', '\\|')} |`
  )
  return ['| value | default | what it is |', '| --- | --- | --- |', ...lines].join('\n')
}

type Row = readonly [path: string, value: string, text: string]

function rows(schema: ValueSchema, defaults: unknown, path: string): readonly Row[] {
  const fields = Object.entries(schema.properties ?? {}).filter(([name]) => path !== '' || name !== 'global')
  return fields.flatMap(([name, field]): readonly Row[] => {
    const below = path === '' ? name : `${path}.${name}`
    const value = (defaults as Readonly<Record<string, unknown>>)[name]
    const { description = '', properties } = field
    // What holds others has a row when it says more than they do.
    if (properties !== undefined) return [[below, '', description], ...rows(field, value, below)]
    return [[below, shown(value), [description, choices(field)].filter(text => text !== '').join(' ')]]
  })
}

const choices = ({ enum: names }: ValueSchema) =>
  names === undefined ? '' : `One of ${names.map(name => `\`${name}\``).join(', ')}.`

const shown = (value: unknown) => (value === '' ? '' : `\`${JSON.stringify(value)}\``)
