import type { LeafField } from './field-paths.ts'

/** What is kept of a column in manifests. */
export type MetricsMode =
  | { readonly kind: 'none' }
  | { readonly kind: 'counts' }
  /** Bounds too; text and bytes are cut to so many code points or bytes. */
  | { readonly kind: 'bounds'; readonly length: number }

const PREFIX = 'write.metadata.metrics'
const DEFAULT: MetricsMode = { kind: 'bounds', length: 16 }
const DEFAULT_COLUMNS = 100

/** The mode of each column, as the table's properties ask for: by default bounds of the first hundred. */
export function metricsModes(
  leaves: readonly LeafField[],
  properties: Readonly<Record<string, string>>
): ReadonlyMap<number, MetricsMode> {
  const general = parseMode(properties[`${PREFIX}.default`])
  const configured = Number(properties[`${PREFIX}.max-inferred-column-defaults`] ?? DEFAULT_COLUMNS)
  const inferred = Number.isSafeInteger(configured) ? configured : DEFAULT_COLUMNS
  return new Map(
    leaves.map(({ id, name }, index) => {
      const own = parseMode(properties[`${PREFIX}.column.${name}`])
      return [id, own ?? general ?? (index < inferred ? DEFAULT : { kind: 'none' })]
    })
  )
}

function parseMode(text: string | undefined): MetricsMode | undefined {
  const mode = text?.trim().toLowerCase()
  if (mode === 'none' || mode === 'counts') return { kind: mode }
  if (mode === 'full') return { kind: 'bounds', length: Infinity }
  const [, length] = /^truncate\(\s*([1-9]\d{0,8})\s*\)$/.exec(mode ?? '') ?? []
  return length === undefined ? undefined : { kind: 'bounds', length: Number(length) }
}
