/** What a test sees of a request before it is handled. */
export interface FaultRequest {
  readonly apiKey: number
  readonly apiVersion: number
  readonly clientId: string
  /** The request as read: its fields are those of Kafka's message definitions, in camelCase. */
  readonly body: unknown
}

/**
 * pass: nothing. dropBefore: the connection is closed and the request has no effect. dropAfter: it takes effect, and the
 * connection is closed instead of the answer. Otherwise the answer is late by `delayMs`, or carries `errorCode` instead
 * of being handled: for everything in it, or for `topic` only.
 */
export type Fault = 'pass' | 'dropBefore' | 'dropAfter' | { errorCode?: number; topic?: string; delayMs?: number }

export interface Faults {
  /** From now on `decide` is asked about every request. Replaces the one before. */
  intercept(decide: (request: FaultRequest) => Fault): void
  /** Does `fault` to the k-th request of this API from now on, counting from 1, and to no other. */
  onRequest(apiKey: number, k: number, fault: Fault): void
  /** No faults any more. */
  clear(): void
}

export class FaultPlan implements Faults {
  #decide: ((request: FaultRequest) => Fault) | undefined
  #planned: { apiKey: number; left: number; fault: Fault }[] = []

  intercept(decide: (request: FaultRequest) => Fault): void {
    this.#decide = decide
  }

  onRequest(apiKey: number, k: number, fault: Fault): void {
    this.#planned.push({ apiKey, left: k, fault })
  }

  clear(): void {
    this.#decide = undefined
    this.#planned = []
  }

  decide(request: FaultRequest): Fault {
    for (const planned of this.#planned) if (planned.apiKey === request.apiKey) planned.left--
    const due = this.#planned.find(planned => planned.left === 0)
    if (due === undefined) return this.#decide?.(request) ?? 'pass'
    this.#planned = this.#planned.filter(planned => planned !== due)
    return due.fault
  }
}
