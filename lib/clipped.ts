/** A text of at most `most` characters; of a longer one the beginning, and `…`. */
export const clipped = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`
