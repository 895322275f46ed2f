/** What is wanted at one place of a document, and below. */
export interface PathNode {
  /** Columns that take the value here. */
  readonly columns: readonly number[]
  /** Columns that take the value here or below. */
  readonly below: readonly number[]
  /** Names of the children, and the indexes they are in an array; -1 for those that are none. */
  readonly keys: readonly Buffer[]
  readonly indexes: readonly number[]
  readonly children: readonly PathNode[]
}

interface Draft {
  readonly columns: number[]
  readonly children: Map<string, Draft>
}

/**
 * The tree of what the JSON Pointers (RFC 6901) ask for; column `n` is the pointer at index `n`. A token that is a number
 * without leading zeros stands for a key and for an index alike.
 */
export function compilePointers(pointers: readonly string[]): PathNode | undefined {
  if (pointers.length === 0) return undefined
  const root: Draft = { columns: [], children: new Map() }
  for (const [column, pointer] of pointers.entries()) {
    let node = root
    for (const token of pointer.split('/').slice(1)) {
      const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
      let child = node.children.get(key)
      if (child === undefined) node.children.set(key, (child = { columns: [], children: new Map() }))
      node = child
    }
    node.columns.push(column)
  }
  return finished(root)
}

function finished({ columns, children }: Draft): PathNode {
  const nodes = [...children.values()].map(finished)
  return {
    columns,
    below: [...columns, ...nodes.flatMap(({ below }) => below)],
    keys: [...children.keys()].map(key => Buffer.from(key)),
    indexes: [...children.keys()].map(key => (/^(?:0|[1-9][0-9]{0,8})$/.test(key) ? Number(key) : -1)),
    children: nodes
  }
}
