/** Seeds that once failed, and what was wrong then. */
export const KEPT_SEEDS: readonly { readonly seed: number; readonly why: string }[] = []
