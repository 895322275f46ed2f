/** A moment as Kubernetes writes it in `metav1.Time`: RFC 3339, to the second. */
export const timeText = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z')

/** A moment as `metav1.MicroTime` wants it: with six digits; three are refused. */
export const microTimeText = (ms: number): string => new Date(ms).toISOString().replace(/\.(\d{3})Z$/, '.$1000Z')

/** Ms since the epoch; undefined for what is no moment. */
export function timeMs(text: string | undefined): number | undefined {
  const ms = Date.parse(text ?? '')
  return Number.isNaN(ms) ? undefined : ms
}
