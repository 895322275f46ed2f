/** Words of CEL, and names of its types. */
const RESERVED = new Set(
  (
    'true false null in as break const continue else for function if import let loop package namespace return var void while ' +
    'type int uint double string bool bytes list map null_type dyn optional optional_type cel google __proto__ prototype'
  ).split(' ')
)

/**
 * How an expression names a column: a name that is reserved in CEL stands between double underscores, as Kubernetes has it.
 * Undefined when it cannot be named.
 */
export function celName(column: string): string | undefined {
  if (RESERVED.has(column)) return `__${column}__`
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(column) ? column : undefined
}

export const isReserved = (name: string): boolean => RESERVED.has(name)

/** The column that an expression means. */
export function columnOf(celName: string): string {
  const inner = /^__(.+)__$/.exec(celName)?.[1]
  return inner !== undefined && RESERVED.has(inner) ? inner : celName
}
