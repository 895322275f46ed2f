import { createRequire } from 'node:module'
import type { DescribedGroup } from '../source/group-view.ts'

/** Requests in versions that kafkajs does not know: they ask for many groups at once, or of groups of the consumer protocol. */
export interface NewerRequest<Body, Answer> {
  readonly apiKey: number
  readonly apiName: string
  readonly version: number
  readonly encode: (encoder: Encoder, body: Body) => void
  readonly decode: (decoder: Decoder) => Answer
}

/** kafkajs' own; the part that compact types need. */
export interface Encoder {
  writeInt8(value: number): Encoder
  writeInt32(value: number): Encoder
  writeBoolean(value: boolean): Encoder
  writeUVarInt(value: number): Encoder
  /** A compact string. */
  writeUVarIntString(value: string | null): Encoder
}

/** kafkajs' own; the part that compact types need. */
export interface Decoder {
  offset: number
  readInt8(): number
  readInt16(): number
  readInt32(): number
  readInt64(): { toString(): string }
  readUVarInt(): number
  /** A compact string. */
  readUVarIntString(): string | null
}

const load = createRequire(import.meta.url)
const EncoderClass = load('kafkajs/src/protocol/encoder') as new () => Encoder
const DecoderClass = load('kafkajs/src/protocol/decoder') as new (payload: Buffer) => Decoder

/** As kafkajs' connections take it. */
export function newer<Body, Answer>(
  { apiKey, apiName, version, encode, decode }: NewerRequest<Body, Answer>,
  body: Body
): { readonly request: object; readonly response: { decode(payload: Buffer): Promise<Answer> } } {
  return {
    request: {
      apiKey,
      apiName,
      apiVersion: version,
      encode: async () => {
        const encoder = new EncoderClass()
        // What is left of the header: its tagged fields.
        encoder.writeUVarInt(0)
        encode(encoder, body)
        encoder.writeUVarInt(0)
        return encoder
      }
    },
    response: {
      decode: async payload => {
        const decoder = new DecoderClass(payload)
        skipTags(decoder)
        return decode(decoder)
      }
    }
  }
}

/** OffsetFetch of many groups (KIP-709). */
export const FETCH_OFFSETS: NewerRequest<readonly OffsetsOfGroup[], readonly FetchedGroup[]> = {
  apiKey: 9,
  apiName: 'OffsetFetch',
  version: 8,
  encode: (encoder, groups) => {
    writeStructs(encoder, groups, ({ groupId, topics }) => {
      encoder.writeUVarIntString(groupId)
      writeStructs(encoder, topics, ({ topic, partitions }) => {
        encoder.writeUVarIntString(topic).writeUVarInt(partitions.length + 1)
        for (const { partition } of partitions) encoder.writeInt32(partition)
      })
    })
    encoder.writeBoolean(false)
  },
  decode: decoder => {
    decoder.readInt32()
    return readStructs(decoder, () => ({
      groupId: decoder.readUVarIntString() ?? '',
      responses: readStructs(decoder, () => ({
        topic: decoder.readUVarIntString() ?? '',
        partitions: readStructs(decoder, () => readCommitted(decoder))
      })),
      errorCode: decoder.readInt16()
    }))
  }
}

export interface OffsetsOfGroup {
  readonly groupId: string
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly { readonly partition: number }[] }[]
}

export interface FetchedGroup {
  readonly groupId: string
  readonly errorCode: number
  readonly responses: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly errorCode: number
      /** -1 when there is none. */
      readonly offset: string
      readonly metadata: string | null
    }[]
  }[]
}

function readCommitted(decoder: Decoder): FetchedGroup['responses'][number]['partitions'][number] {
  const partition = decoder.readInt32()
  const offset = decoder.readInt64().toString()
  decoder.readInt32()
  const metadata = decoder.readUVarIntString()
  return { partition, offset, metadata, errorCode: decoder.readInt16() }
}

/** FindCoordinator of many groups (KIP-699). */
export const FIND_COORDINATORS: NewerRequest<readonly string[], readonly FoundCoordinator[]> = {
  apiKey: 10,
  apiName: 'FindCoordinator',
  version: 4,
  encode: (encoder, groupIds) => {
    encoder.writeInt8(0).writeUVarInt(groupIds.length + 1)
    for (const groupId of groupIds) encoder.writeUVarIntString(groupId)
  },
  decode: decoder => {
    decoder.readInt32()
    return readStructs(decoder, () => {
      const groupId = decoder.readUVarIntString() ?? ''
      const nodeId = decoder.readInt32()
      decoder.readUVarIntString()
      decoder.readInt32()
      const errorCode = decoder.readInt16()
      decoder.readUVarIntString()
      return { groupId, nodeId, errorCode }
    })
  }
}

export interface FoundCoordinator {
  readonly groupId: string
  readonly nodeId: number
  readonly errorCode: number
}

/** ConsumerGroupDescribe (KIP-848): DescribeGroups says of a group of the newer protocol that it is not there. */
export const DESCRIBE_CONSUMER_GROUPS: NewerRequest<readonly string[], readonly DescribedConsumerGroup[]> = {
  apiKey: 69,
  apiName: 'ConsumerGroupDescribe',
  version: 0,
  encode: (encoder, groupIds) => {
    encoder.writeUVarInt(groupIds.length + 1)
    for (const groupId of groupIds) encoder.writeUVarIntString(groupId)
    encoder.writeBoolean(false)
  },
  decode: decoder => {
    decoder.readInt32()
    return readStructs(decoder, () => {
      const errorCode = decoder.readInt16()
      decoder.readUVarIntString()
      const groupId = decoder.readUVarIntString() ?? ''
      const state = decoder.readUVarIntString() ?? ''
      decoder.readInt32()
      decoder.readInt32()
      decoder.readUVarIntString()
      const members = readStructs(decoder, () => readMember(decoder))
      decoder.readInt32()
      return { groupId, errorCode, state, members }
    })
  }
}

export interface DescribedConsumerGroup extends DescribedGroup {
  readonly groupId: string
  readonly errorCode: number
}

function readMember(decoder: Decoder): DescribedGroup['members'][number] {
  for (let ids = 0; ids < 3; ids++) decoder.readUVarIntString()
  decoder.readInt32()
  const clientId = decoder.readUVarIntString() ?? ''
  const clientHost = decoder.readUVarIntString() ?? ''
  for (let topics = decoder.readUVarInt() - 1; topics > 0; topics--) decoder.readUVarIntString()
  decoder.readUVarIntString()
  // What it reads now, and what it is to read.
  for (let assignments = 0; assignments < 2; assignments++) {
    readStructs(decoder, () => {
      decoder.offset += UUID_BYTES
      decoder.readUVarIntString()
      for (let partitions = decoder.readUVarInt() - 1; partitions > 0; partitions--) decoder.readInt32()
    })
    skipTags(decoder)
  }
  return { clientId, clientHost }
}

const UUID_BYTES = 16

function writeStructs<Item>(encoder: Encoder, items: readonly Item[], write: (item: Item) => void): void {
  encoder.writeUVarInt(items.length + 1)
  for (const item of items) {
    write(item)
    encoder.writeUVarInt(0)
  }
}

function readStructs<Item>(decoder: Decoder, read: () => Item): Item[] {
  const items: Item[] = []
  for (let left = decoder.readUVarInt() - 1; left > 0; left--) {
    items.push(read())
    skipTags(decoder)
  }
  return items
}

/** Fields of later versions, which older readers pass over (KIP-482). */
function skipTags(decoder: Decoder): void {
  for (let left = decoder.readUVarInt(); left > 0; left--) {
    decoder.readUVarInt()
    const bytes = decoder.readUVarInt()
    decoder.offset += bytes
  }
}
