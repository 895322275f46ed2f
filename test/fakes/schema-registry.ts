import type { Found, SchemaRegistry } from '../../consumer/registry/schema-registry.ts'
import type { Pending } from '../../consumer/decode/value-reader.ts'

/** A registry in memory: ids from 1 in the order of registering, all versions under one subject. */
export class FakeRegistry implements SchemaRegistry {
  readonly #found: (Found | Pending | undefined)[] = []
  readonly subject: string

  constructor(subject = 'orders-value') {
    this.subject = subject
  }

  register(schema: unknown, more: Partial<Pick<Found, 'type' | 'references'>> = {}): number {
    const version = this.#found.length + 1
    this.#found.push({
      id: version,
      type: 'AVRO',
      text: typeof schema === 'string' ? schema : JSON.stringify(schema),
      references: [],
      version: subject => (subject === this.subject ? version : undefined),
      ...more
    })
    return version
  }

  /** What the next id is until it is registered: nothing, or something that is waited for. */
  hold(pending: Pending): number {
    return this.#found.push(pending)
  }

  release(id: number): void {
    this.#found[id - 1] = undefined
  }

  lookUp(id: number): Found | Pending | undefined {
    return this.#found[id - 1]
  }

  close(): void {}
}

/** Confluent's wire format. */
export function framed(id: number, value: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(id, 1)
  return Buffer.concat([head, value])
}
