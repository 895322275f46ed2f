/**
 * What the ledger's COMMIT_ID says of a key in mode Streaming: `<write id>/<mark>`. Who has taken the key last, and whether
 * a channel may hold more than the ledger's NEXT_OFFSET tells.
 */
export interface Holding {
  /** Empty when nobody has taken the key yet. */
  readonly writeId: string
  readonly mark: Mark
}

/**
 * Undefined: no row ever went through a channel, the ledger alone counts. Else when the channel was made (so that one made
 * anew under its name is told apart), and whether NEXT_OFFSET holds all that the channel ever committed.
 */
export type Mark = { readonly createdOnMs: number; readonly isSettled: boolean } | undefined

const HOLDING = /^([^/]*)\/(?:(\d{1,16})(=?))?$/

export function formatHolding({ writeId, mark }: Holding): string {
  return mark === undefined ? `${writeId}/` : `${writeId}/${mark.createdOnMs}${mark.isSettled ? '=' : ''}`
}

/** Anything else is no holding of ours: a row that a person wrote, which nobody holds. */
export function parseHolding(text: string): Holding {
  const match = HOLDING.exec(text)
  if (match === null) return { writeId: '', mark: undefined }
  const [, writeId = '', createdOnMs, settled] = match
  return {
    writeId,
    mark: createdOnMs === undefined ? undefined : { createdOnMs: Number(createdOnMs), isSettled: settled === '=' }
  }
}
