import { setFlagsFromString } from 'node:v8'

/**
 * Lets the garbage collector mark in one pause of about 10 ms. Fetched bytes come and go by the hundred megabytes
 * beside a heap that stays small; V8 would begin to mark in the background after every 30 MB or so of them, on all its
 * threads: a fifth of a consumer's CPU time at full drain (`npm run bench`).
 */
export function tuneCollector(): void {
  setFlagsFromString('--no-incremental-marking')
}
