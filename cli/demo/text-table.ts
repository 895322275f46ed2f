/** Columns of text, numbers to the right; `head` names them. */
export function textTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [head, ...rows].map(row => row.map(show))
  const widths = head.map((_, column) => Math.max(...cells.map(row => row[column]?.length ?? 0)))
  const isNumber = head.map((_, column) => rows.every(row => typeof row[column] === 'number'))
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) => {
        const width = widths[column] ?? 0
        return isNumber[column] ? text.padStart(width) : text.padEnd(width)
      })
      .join('   ')
      .trimEnd()
  return cells.map(row => `  ${line(row)}\n`).join('')
}

const show = (cell: string | number): string => (typeof cell === 'number' ? cell.toLocaleString('en-US') : cell)
