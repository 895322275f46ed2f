import type { Broker } from '../state.ts'
import type { Draft, Type } from './schema.ts'

/** What surrounds one request. */
export interface Call {
  readonly apiVersion: number
  readonly clientId: string
  readonly clientHost: string
  /** Of the connection: its user, once SASL has ended. */
  readonly session: { user?: string }
  /** An error code a fault wants answered, for everything or for one topic; else 0. */
  readonly injected: (topic?: string) => number
}

/** One API of the protocol, ready to be served. */
export interface Api {
  readonly key: number
  readonly versions: readonly [first: number, last: number]
  /** The first version with compact lengths and tagged fields. */
  readonly flexibleFrom: number
  readonly request: Type<unknown>
  readonly response: Type<unknown>
  /** Undefined when the protocol has no answer (Produce with acks 0). */
  handle(broker: Broker, request: unknown, call: Call): unknown
}

/** Ties an API's handler to the types of its messages. */
export const api = <Q, R>(definition: {
  key: number
  versions: readonly [first: number, last: number]
  flexibleFrom: number
  request: Type<Q>
  response: Type<R>
  handle(
    broker: Broker,
    request: NoInfer<Q>,
    call: Call
  ): Draft<NoInfer<R>> | undefined | Promise<Draft<NoInfer<R>> | undefined>
}): Api => definition
