import { encodeBatch, type DemoRecord } from './batch-encoder.ts'
import type { EmbeddedBroker } from './broker/broker.ts'
import type { DataSet } from './data-sets.ts'
import { DemoProducer } from './producer.ts'

/** What was put into a topic, to hold the tables against. */
export interface Fed {
  readonly records: number
  readonly bytes: number
  /** Of the malformed records among them: how many for each reason that the dead letters must give. */
  readonly malformed: ReadonlyMap<string, number>
}

const BATCH_RECORDS = 1000
const PRODUCER = { 'x-producer': 'npm-run-demo' }

/** Produces a data set into its topic, malformed records strewn among the good ones. */
export async function feed(broker: EmbeddedBroker, dataSet: DataSet): Promise<Fed> {
  const { topic, partitions, codec, observations } = dataSet
  broker.createTopic(topic, { partitions })
  const good = observations.map(({ key, timestampMs, json }): DemoRecord => {
    return { key, timestampMs, value: Buffer.from(json), headers: PRODUCER }
  })
  const bad = malformed(dataSet)
  const records = strew(
    good,
    bad.map(({ value }) => ({ ...(good[0] as DemoRecord), value }))
  )
  const producer = await DemoProducer.connect('127.0.0.1', broker.port)
  let bytes = 0
  for (let start = 0, turn = 0; start < records.length; start += BATCH_RECORDS, turn++) {
    const batch = records.slice(start, start + BATCH_RECORDS)
    for (const { value } of batch) bytes += value.length
    await producer.send(topic, turn % partitions, encodeBatch(batch, codec))
  }
  producer.close()
  const reasons = Map.groupBy(bad, ({ reason }) => reason)
  return {
    records: records.length,
    bytes,
    malformed: new Map([...reasons].map(([reason, { length }]) => [reason, length]))
  }
}

/** What goes wrong in real life, with the reason that the product must find for each. */
function malformed({ observations, incomplete, mistyped }: DataSet): { value: Buffer; reason: string }[] {
  const [first, second] = observations
  const json = first?.json ?? '{}'
  const notUtf8 = Buffer.from(second?.json ?? '{}')
  notUtf8[notUtf8.indexOf('"') + 1] = 0xff
  return [
    { value: Buffer.from(json.slice(0, json.length / 2)), reason: 'InvalidJson' },
    { value: Buffer.from('<html><h1>502 Bad Gateway</h1></html>'), reason: 'InvalidJson' },
    { value: notUtf8, reason: 'InvalidUtf8' },
    { value: Buffer.from(incomplete), reason: 'MissingColumn' },
    { value: Buffer.from(mistyped), reason: 'WrongType' }
  ]
}

/** `few` at even distances among `many`. */
function strew<T>(many: readonly T[], few: readonly T[]): T[] {
  const distance = Math.floor(many.length / (few.length + 1))
  return few.reduceRight((all, one, index) => all.toSpliced((index + 1) * distance, 0, one), [...many])
}
