import type { Observer } from './observer.ts'

/** What keeps a consumer from being healthy, by table; and whether the source answers. */
export class Health {
  readonly #sinkErrors = new Map<string, string>()
  #sourceError: string | undefined

  readonly observer: Observer = {
    committed: table => this.#sinkErrors.delete(table),
    sinkFailed: (table, code) => this.#sinkErrors.set(table, code),
    sinkWorks: table => this.#sinkErrors.delete(table),
    sourceFailed: code => {
      this.#sourceError = code
    },
    sourceWorks: () => {
      this.#sourceError = undefined
    },
    fenced: () => {},
    dataLoss: () => {},
    assigned: () => {}
  }

  /** Unhealthy after a failed write, healthy again after the next good one; free of secrets. */
  state(): { readonly healthy: boolean; readonly source: string; readonly tables: Readonly<Record<string, string>> } {
    return {
      healthy: this.#sinkErrors.size === 0 && this.#sourceError === undefined,
      source: this.#sourceError ?? 'ok',
      tables: Object.fromEntries(this.#sinkErrors)
    }
  }
}
