import avro from 'avsc'
import { Leaves, type Sample } from './avro-leaves.ts'

/** 64-bit integers as bigints, since no digit may be lost. */
export const longs = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    return bytes
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => Number(a - b)
})

/**
 * The other library's codec for a schema; 64-bit integers are bigints, values of unions are in objects with the branch
 * as key.
 */
export const otherType = (schema: unknown): avro.Type =>
  avro.Type.forSchema(bare(schema) as avro.Schema, {
    registry: { long: longs },
    wrapUnions: true,
    omitRecordMethods: true
  })

/** Without logical types: with one, the library's own codec for long would be taken. */
function bare(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(bare)
  if (typeof schema !== 'object' || schema === null) return schema
  const { logicalType: _, ...rest } = schema as Readonly<Record<string, unknown>>
  if (['int', 'long', 'string', 'bytes'].includes(String(rest['type'])) && rest['name'] === undefined)
    return rest['type']
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, bare(value)]))
}

/** A record of up to seven fields, nested up to three levels deep. */
export function randomRecord(random: () => number): Sample {
  return new Samples(random).record(3, 1 + Math.floor(random() * 7))
}

class Samples extends Leaves {
  record(depth: number, size: number): Sample {
    const name = this.name('R')
    const fields = Array.from({ length: size }, (_, index) => ({ name: `f${index}`, ...this.#any(depth - 1) }))
    // A record of nothing but nulls has no columns of its own.
    if (fields.every(({ isVoid }) => isVoid === true)) fields.push({ name: 'last', ...this.primitive() })
    return {
      schema: { type: 'record', name, fields: fields.map(({ name, schema }) => ({ name, type: schema })) },
      branch: name,
      make: () => {
        const made = fields.map(field => [field.name, field.make(), field.isVoid] as const)
        return {
          written: Object.fromEntries(made.map(([field, { written }]) => [field, written])),
          row: Object.fromEntries(made.filter(each => each[2] !== true).map(([field, { row }]) => [field, row]))
        }
      }
    }
  }

  #any(depth: number): Sample {
    const kind = this.random()
    if (kind < 0.03) return { schema: 'null', branch: 'null', isVoid: true, make: () => ({ written: null, row: null }) }
    if (kind < 0.25) return this.#nullable(depth)
    if (kind < 0.32) return this.#union(depth)
    return this.#whole(depth)
  }

  #whole(depth: number): Sample {
    const kind = depth > 0 ? this.random() : 1
    if (kind < 0.12) return this.record(depth, 1 + Math.floor(this.random() * 4))
    if (kind < 0.28) return this.#array(this.#filled(depth - 1))
    if (kind < 0.4) return this.#map(this.#filled(depth - 1))
    return this.primitive()
  }

  #filled(depth: number): Sample {
    for (;;) {
      const sample = this.#any(depth)
      if (sample.isVoid !== true) return sample
    }
  }

  #nullable(depth: number): Sample {
    const inner = this.#whole(depth)
    const isFirst = this.random() < 0.7
    return {
      schema: isFirst ? ['null', inner.schema] : [inner.schema, 'null'],
      branch: 'union',
      make: () => {
        if (this.random() < 0.3) return { written: null, row: null }
        const { written, row } = inner.make()
        return { written: { [inner.branch]: written }, row }
      }
    }
  }

  #union(depth: number): Sample {
    const inner: Sample[] = []
    const size = 2 + Math.floor(this.random() * 3)
    for (let left = 40; inner.length < size && left > 0; left--) {
      const sample = this.#whole(depth)
      if (inner.every(({ branch }) => branch !== sample.branch)) inner.push(sample)
    }
    const withNull = this.random() < 0.5 || inner.length < 2
    const at = Math.floor(this.random() * (inner.length + 1))
    return {
      schema: withNull ? inner.map(({ schema }) => schema).toSpliced(at, 0, 'null') : inner.map(({ schema }) => schema),
      branch: 'union',
      make: () => {
        if (withNull && this.random() < 0.2) return { written: null, row: null }
        const chosen = inner[Math.floor(this.random() * inner.length)] as Sample
        const { written, row } = chosen.make()
        if (inner.length < 2) return { written: { [chosen.branch]: written }, row }
        const others = Object.fromEntries(inner.map(({ branch }) => [branch, null]))
        return { written: { [chosen.branch]: written }, row: { ...others, [chosen.branch]: row } }
      }
    }
  }

  #array(item: Sample): Sample {
    return {
      schema: { type: 'array', items: item.schema },
      branch: 'array',
      make: () => {
        const made = Array.from({ length: this.#size() }, () => item.make())
        return { written: made.map(({ written }) => written), row: made.map(({ row }) => row) }
      }
    }
  }

  #map(item: Sample): Sample {
    return {
      schema: { type: 'map', values: item.schema },
      branch: 'map',
      make: () => {
        const made = Array.from({ length: this.#size() }, (_, index) => [`k${index}ü`, item.make()] as const)
        return {
          written: Object.fromEntries(made.map(([key, { written }]) => [key, written])),
          row: new Map(made.map(([key, { row }]) => [key, row]))
        }
      }
    }
  }

  #size(): number {
    return this.random() < 0.3 ? 0 : Math.floor(this.random() * 4)
  }
}
