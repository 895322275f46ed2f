import protobuf from 'protobufjs'

/** A .proto file whose message `M` comes first, and values of it. */
export interface ProtoSample {
  readonly text: string
  /** What the other library writes, and the row it is. */
  readonly make: () => { readonly written: Record<string, unknown>; readonly row: Record<string, unknown> }
}

/** The other library's codec for a type of messages. */
export function otherMessage(text: string, name = 'M'): protobuf.Type {
  const root = new protobuf.Root()
  protobuf.parse(text, root, { keepCase: true })
  for (const file of ['timestamp', 'wrappers', 'struct', 'duration', 'any'])
    root.addJSON((protobuf.common.get(`google/protobuf/${file}.proto`) as protobuf.INamespace).nested ?? {})
  return root.resolveAll().lookupType(name)
}

export const encodeProto = (type: protobuf.Type, value: Record<string, unknown>): Buffer =>
  Buffer.from(type.encode(type.fromObject(value)).finish())

/** A message of up to eight fields, nested up to three levels deep. */
export function randomMessage(random: () => number): ProtoSample {
  const isOld = random() < 0.4
  const samples = new Samples(random, isOld)
  const message = samples.message('M', 3)
  const imports = ['timestamp', 'wrappers'].map(file => `import "google/protobuf/${file}.proto";`)
  return {
    text: [`syntax = "${isOld ? 'proto2' : 'proto3'}";`, ...imports, message.text, ...samples.others].join('\n'),
    make: message.make
  }
}

interface Made {
  readonly written: unknown
  readonly row: unknown
}

interface Part {
  readonly type: string
  readonly make: () => Made
  /** The row of what is not set, where that is not null. */
  readonly unset: unknown
  readonly isMessage?: boolean
}

class Samples {
  readonly others: string[] = []
  readonly #random: () => number
  readonly #isOld: boolean
  #names = 0

  constructor(random: () => number, isOld: boolean) {
    this.#random = random
    this.#isOld = isOld
  }

  message(name: string, depth: number): ProtoSample {
    const size = 1 + Math.floor(this.#random() * 7)
    const fields = Array.from({ length: size }, (_, index) => this.#field(`f${index}`, index, depth - 1))
    const [first, second] = [this.#scalar(), this.#part(0)]
    const oneof = `oneof choice { ${first.type} left = 900; ${second.type} right = 901; }`
    return {
      text: `message ${name} { ${fields.map(field => field.text).join(' ')} ${oneof} }`,
      make: () => {
        const made = fields.flatMap(field => field.make())
        const side = ['left', 'right', 'none'][Math.floor(this.#random() * 3)] as string
        const chosen = side === 'none' ? undefined : (side === 'left' ? first : second).make()
        return {
          written: Object.fromEntries([
            ...made.filter(each => each.written !== undefined).map(each => [each.name, each.written]),
            ...(chosen === undefined ? [] : [[side, chosen.written]])
          ]) as Record<string, unknown>,
          row: {
            ...(Object.fromEntries(made.map(each => [each.name, each.row])) as Record<string, unknown>),
            left: null,
            right: null,
            ...(chosen === undefined ? {} : { [side]: chosen.row })
          }
        }
      }
    }
  }

  #field(name: string, index: number, depth: number) {
    const number = this.#random() < 0.1 ? 5000 + index : index + 1
    const kind = this.#random()
    if (kind < 0.2) return this.#repeated(name, number, this.#part(depth))
    if (kind < 0.35) return this.#map(name, number, this.#part(depth))
    const part = this.#part(depth)
    const isRequired = this.#isOld && this.#random() < 0.4
    const isOptional = !isRequired && (this.#isOld || this.#random() < 0.3)
    const unset = isOptional || part.isMessage === true ? null : part.unset
    return {
      text: `${isRequired ? 'required ' : isOptional ? 'optional ' : ''}${part.type} ${name} = ${number};`,
      make: () =>
        !isRequired && this.#random() < 0.3 ? [{ name, written: undefined, row: unset }] : [{ name, ...part.make() }]
    }
  }

  #repeated(name: string, number: number, part: Part) {
    const canPack = part.isMessage !== true && part.type !== 'string' && part.type !== 'bytes'
    const packed = canPack && this.#random() < 0.5 ? ` [packed = ${this.#random() < 0.5}]` : ''
    return {
      text: `repeated ${part.type} ${name} = ${number}${packed};`,
      make: () => {
        const made = this.#several(() => part.make())
        return [{ name, written: made.map(each => each.written), row: made.map(each => each.row) }]
      }
    }
  }

  #map(name: string, number: number, part: Part) {
    const [type, ...keys] = KEYS[Math.floor(this.#random() * KEYS.length)] as (typeof KEYS)[number]
    return {
      text: `map<${type}, ${part.type}> ${name} = ${number};`,
      make: () => {
        const made = keys.filter(() => this.#random() < 0.6).map(key => [key, part.make()] as const)
        return [
          {
            name,
            written: Object.fromEntries(made.map(([key, { written }]) => [String(key), written])),
            row: new Map(made.map(([key, { row }]) => [key, row]))
          }
        ]
      }
    }
  }

  #part(depth: number): Part {
    const kind = this.#random()
    if (depth > 0 && kind < 0.25) {
      const type = `N${this.#names++}`
      const { text, make } = this.message(type, depth)
      this.others.push(text)
      return { type, make, unset: null, isMessage: true }
    }
    if (kind < 0.32) return this.#timestamp()
    if (kind < 0.4) return this.#wrapper()
    return kind < 0.47 ? this.#enum() : this.#scalar()
  }

  #scalar(): Part {
    const [type, make, unset] = SCALARS[Math.floor(this.#random() * SCALARS.length)] as (typeof SCALARS)[number]
    return { type, unset, make: () => make(this.#random) }
  }

  #wrapper(): Part {
    const [name, kind] = WRAPPERS[Math.floor(this.#random() * WRAPPERS.length)] as (typeof WRAPPERS)[number]
    const [, make] = SCALARS.find(([type]) => type === kind) as (typeof SCALARS)[number]
    const wrapped = () => {
      const { written, row } = make(this.#random)
      return { written: { value: written }, row }
    }
    return { type: `google.protobuf.${name}Value`, unset: null, isMessage: true, make: wrapped }
  }

  #timestamp(): Part {
    return {
      type: 'google.protobuf.Timestamp',
      unset: null,
      isMessage: true,
      make: () => {
        const seconds = Math.floor((this.#random() - 0.3) * 3e9)
        const nanos = Math.floor(this.#random() * 1e9)
        return { written: { seconds, nanos }, row: BigInt(seconds) * 1_000_000n + BigInt(Math.floor(nanos / 1000)) }
      }
    }
  }

  #enum(): Part {
    const type = `E${this.#names++}`
    this.others.push(`enum ${type} { ${type}_ZERO = 0; ${type}_ONE = 1; ${type}_BELOW = -5; }`)
    const numbers = [0, 1, -5, 77]
    const names = ['ZERO', 'ONE', 'BELOW'].map(name => `${type}_${name}`)
    return {
      type,
      unset: names[0],
      make: () => {
        // The other library writes no unknown numbers of closed enums.
        const index = Math.floor(this.#random() * (this.#isOld ? 3 : 4))
        return { written: numbers[index], row: names[index] ?? '77' }
      }
    }
  }

  #several<T>(make: () => T): T[] {
    return this.#random() < 0.3 ? [] : Array.from({ length: Math.floor(this.#random() * 4) }, make)
  }
}

const KEYS = [
  ['string', '', 'ü', 'k'],
  ['int32', 0, 7, -1],
  ['int64', 3, 5],
  ['sint64', -4],
  ['bool', false, true]
] as const

type MakeScalar = (random: () => number) => Made

const same =
  (make: (random: () => number) => unknown): MakeScalar =>
  random => {
    const value = make(random)
    return { written: value, row: value }
  }

const whole = (least: bigint, most: bigint) => (random: () => number) => {
  if (random() < 0.1) return random() < 0.5 ? least : most
  const range = random() < 0.5 ? 300n : most - least
  const value = (least < 0n && random() < 0.5 ? -1n : 1n) * ((BigInt(Math.floor(random() * 2 ** 52)) * range) >> 52n)
  return value < least ? least : value > most ? most : value
}

const long =
  (least: bigint, most: bigint): MakeScalar =>
  random => {
    const value = whole(least, most)(random)
    return { written: String(value), row: value }
  }

const int = (least: bigint, most: bigint) => same(random => Number(whole(least, most)(random)))

const INT = int(-(2n ** 31n), 2n ** 31n - 1n)
const LONG = long(-(2n ** 63n), 2n ** 63n - 1n)
const UINT = int(0n, 2n ** 32n - 1n)
const ULONG = long(0n, 2n ** 64n - 1n)
const TEXT = same(random =>
  random() < 0.2 ? 'ü€😀'.repeat(Math.floor(random() * 40)) : `t${Math.floor(random() * 99)}`
)
const BYTES = same(random =>
  Buffer.from(Array.from({ length: Math.floor(random() * 20) }, () => Math.floor(random() * 256)))
)

const SCALARS: readonly (readonly [type: string, make: MakeScalar, unset: unknown])[] = [
  ['int32', INT, 0],
  ['sint32', INT, 0],
  ['sfixed32', INT, 0],
  ['uint32', UINT, 0],
  ['fixed32', UINT, 0],
  ['int64', LONG, 0],
  ['sint64', LONG, 0],
  ['sfixed64', LONG, 0],
  ['uint64', ULONG, 0n],
  ['fixed64', ULONG, 0n],
  ['double', same(random => (random() - 0.5) * 1e9), 0],
  ['float', same(random => Math.fround(random() * 100)), 0],
  ['bool', same(random => random() < 0.5), false],
  ['string', TEXT, ''],
  ['bytes', BYTES, Buffer.alloc(0)]
]

const WRAPPERS = [
  ['Int32', 'int32'],
  ['UInt64', 'uint64'],
  ['String', 'string'],
  ['Bool', 'bool'],
  ['Double', 'double'],
  ['Bytes', 'bytes']
] as const
