type Random = () => number

/** A type that values are made of: its schema as JSON, and how a value of it is written and read. */
export interface Sample {
  readonly schema: unknown
  /** The key under which another library has it in a union. */
  readonly branch: string
  /** What no column is made for. */
  readonly isVoid?: true
  readonly make: () => Made
}

export interface Made {
  /** As another library takes it. */
  readonly written: unknown
  /** As a row of columns has it. */
  readonly row: unknown
}

/** Types without parts. */
export class Leaves {
  protected readonly random: Random
  #names = 0

  constructor(random: Random) {
    this.random = random
  }

  primitive(): Sample {
    const makers = [
      () => this.#numbers(),
      () => this.#texts(),
      () => this.#times(),
      () => this.#decimals(),
      () => this.#named()
    ]
    return (makers[Math.floor(this.random() * makers.length)] ?? makers[0])?.() as Sample
  }

  #numbers(): Sample {
    const same = (schema: string, make: () => unknown): Sample => ({
      schema,
      branch: schema,
      make: () => {
        const value = make()
        return { written: value, row: value }
      }
    })
    return this.#one([
      same('boolean', () => this.random() < 0.5),
      same('int', () => this.#int(2 ** 31)),
      same('float', () => Math.fround(this.random() * 1000)),
      same('double', () => (this.random() < 0.05 ? Number.NaN : this.random() * 1e12)),
      this.#long({}, () => this.#big(63)),
      this.#long({ logicalType: 'timestamp-nanos' }, () => this.#big(62)),
      this.#long({ logicalType: 'never-heard-of' }, () => this.#big(20))
    ])
  }

  #texts(): Sample {
    const text = () => (this.random() < 0.1 ? 'ü€'.repeat(this.#int(100)) : `text ${this.#int(1000)}`)
    const uuid = () =>
      this.#bytes(16)
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    const sample = (schema: unknown, branch: string, make: () => unknown): Sample => ({
      schema,
      branch,
      make: () => {
        const value = make()
        return { written: value, row: value }
      }
    })
    return this.#one([
      sample('string', 'string', text),
      sample('bytes', 'bytes', () => this.#bytes(this.#int(50))),
      sample({ type: 'string', logicalType: 'uuid' }, 'string', uuid)
    ])
  }

  #times(): Sample {
    const micros = () => BigInt(Math.floor((this.random() * 2 - 0.5) * 1e15)) * (this.random() < 0.1 ? 60n : 1n)
    const millis = () => BigInt(Math.floor((this.random() * 2 - 0.5) * (this.random() < 0.1 ? 6e13 : 1e12)))
    const int = (logicalType: string, make: () => number, factor: number): Sample => ({
      schema: { type: 'int', logicalType },
      branch: 'int',
      make: () => {
        const value = make()
        return { written: value, row: value * factor }
      }
    })
    return this.#one([
      this.#long({ logicalType: 'timestamp-micros' }, micros),
      this.#long({ logicalType: 'local-timestamp-micros' }, micros),
      this.#long({ logicalType: 'timestamp-millis' }, millis, 1000n),
      this.#long({ logicalType: 'local-timestamp-millis' }, millis, 1000n),
      this.#long({ logicalType: 'time-micros' }, () => BigInt(Math.floor(this.random() * 86_400e6))),
      int('time-millis', () => Math.floor(this.random() * 86_400_000), 1000),
      int('date', () => this.#int(30_000), 1)
    ])
  }

  #decimals(): Sample {
    const precision = 1 + Math.floor(this.random() * 38)
    const scale = Math.floor(this.random() * (precision + 1))
    const logical = { logicalType: 'decimal', precision, scale }
    const unscaled = () => {
      const digits = Array.from({ length: Math.ceil(this.random() * precision) }, () => this.#int(10)).join('')
      return BigInt(digits) * (this.random() < 0.5 ? -1n : 1n)
    }
    const sizeBytes = 16 + Math.floor(this.random() * 4)
    const name = this.name('D')
    const make = (width: (value: bigint) => number) => () => {
      const row = unscaled()
      return { written: twosComplement(row, width(row)), row }
    }
    return this.#one([
      {
        schema: { type: 'bytes', ...logical },
        branch: 'bytes',
        make: make(value => Math.floor(value.toString(2).length / 8) + 1)
      },
      { schema: { type: 'fixed', name, size: sizeBytes, ...logical }, branch: name, make: make(() => sizeBytes) }
    ])
  }

  #named(): Sample {
    const name = this.name('N')
    const size = 1 + Math.floor(this.random() * 20)
    const symbols = Array.from({ length: 1 + Math.floor(this.random() * 90) }, (_, index) => `S${index}`)
    const sample = (schema: unknown, make: () => unknown): Sample => ({
      schema,
      branch: name,
      make: () => {
        const value = make()
        return { written: value, row: value }
      }
    })
    return this.#one([
      sample({ type: 'fixed', name, size }, () => this.#bytes(size)),
      sample({ type: 'fixed', name, size: 16, logicalType: 'uuid' }, () => this.#bytes(16)),
      sample({ type: 'fixed', name, size: 12, logicalType: 'duration' }, () => this.#bytes(12)),
      sample({ type: 'enum', name, symbols }, () => symbols[Math.floor(this.random() * symbols.length)])
    ])
  }

  #long(logical: object, make: () => bigint, factor = 1n): Sample {
    return {
      schema: { type: 'long', ...logical },
      branch: 'long',
      make: () => {
        const value = make()
        const row = value * factor
        return { written: value, row: Number.isSafeInteger(Number(row)) ? Number(row) : row }
      }
    }
  }

  /** Of up to so many bits, most of them few. */
  #big(bits: number): bigint {
    const size = BigInt(Math.floor(this.random() * bits))
    const value = (BigInt(Math.floor(this.random() * 2 ** 52)) << 12n) >> (64n - size > 0n ? 64n - size : 0n)
    return this.random() < 0.5 ? -value - 1n : value
  }

  #int(range: number): number {
    return Math.floor(this.random() * range)
  }

  #bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.#int(256)))
  }

  #one(samples: readonly Sample[]): Sample {
    return samples[Math.floor(this.random() * samples.length)] as Sample
  }

  protected name(letter: string): string {
    return `${letter}${this.#names++}`
  }
}

/** Big-endian. */
function twosComplement(value: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(Math.ceil(length))
  let rest = BigInt.asUintN(bytes.length * 8, value)
  for (let index = bytes.length - 1; index >= 0; index--) {
    bytes[index] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}
