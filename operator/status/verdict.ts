import type { Condition } from '../../crds/pipeline.ts'

/** One condition's state, before it is dated. */
export interface Verdict {
  readonly status: Condition['status']
  readonly reason: string
  readonly message: string
}

export const yes = (reason: string, message: string): Verdict => ({ status: 'True', reason, message })
export const no = (reason: string, message: string): Verdict => ({ status: 'False', reason, message })
export const unknown = (reason: string, message: string): Verdict => ({ status: 'Unknown', reason, message })

/** A condition's reason is one word; what consumers, pods and brokers call theirs need not be. */
export const wordOr = (otherwise: string, text: string): string =>
  /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(text) ? text : otherwise
