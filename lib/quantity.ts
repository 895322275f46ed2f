const FACTOR: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50
}
const QUANTITY = /^([0-9]{1,15}(?:\.[0-9]{1,9})?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/

/** The number a Kubernetes quantity stands for (`64Mi` → 67108864, `500m` → 0.5); undefined when the text is none. */
export function parseQuantity(text: string): number | undefined {
  const match = QUANTITY.exec(text)
  return match ? Number(match[1]) * FACTOR[match[2] ?? '']! : undefined
}
