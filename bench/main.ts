import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startKafka } from '../test/servers/kafka.ts'
import { produce, runConsumer, runLimit, runPython, type Codec, type Outcome, type Work } from './programs.ts'
import { payloads } from './records.ts'

const PARTITIONS = 4
const CODECS: readonly Codec[] = ['none', 'zstd']
const PROGRAMS = { bronze: runConsumer, limit: runLimit, python: runPython }
type Program = keyof typeof PROGRAMS

interface Run extends Outcome {
  readonly name: Program
  readonly topic: Codec
  /** Of payload, before any compression. */
  readonly mbPerCpuSecond: number
  readonly recordsPerCpuSecond: number
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    records: { type: 'string', default: '1000000' },
    only: { type: 'string', multiple: true, default: Object.keys(PROGRAMS) }
  }
})
const records = Number(values.records)
let payloadBytes = 0
for (const payload of payloads(records)) payloadBytes += payload.length
console.log(
  `${records} records of ${(payloadBytes / records).toFixed(0)} bytes, ${PARTITIONS} partitions, one consumer`
)

const folder = await mkdtemp(join(tmpdir(), 'bronze-bench-'))
const kafka = await startKafka({ heapMiB: 1024 })
try {
  const runs: Run[] = []
  for (const codec of CODECS) {
    const work = { bootstrap: kafka.bootstrap, topic: `bench-${codec}`, codec, partitions: PARTITIONS, records }
    await produce(work, payloads(records))
    for (const name of Object.keys(PROGRAMS) as Program[]) {
      if (!values.only.includes(name)) continue
      const run = await measure(name, { ...work, folder: join(folder, `${name}-${codec}`) })
      runs.push(run)
      console.log(describe(run))
    }
  }
  if (values.json) console.log(JSON.stringify(summary(runs)))
} finally {
  await kafka.stop()
  await rm(folder, { recursive: true, force: true })
}

async function measure(name: Program, work: Work): Promise<Run> {
  await mkdir(work.folder)
  const outcome = await PROGRAMS[name](work)
  if (outcome.records !== records) throw new Error(`${name} wrote ${outcome.records} of ${records} records`)
  await rm(work.folder, { recursive: true })
  return {
    name,
    topic: work.codec,
    ...outcome,
    mbPerCpuSecond: rounded(payloadBytes / 1e6 / outcome.cpuSeconds),
    recordsPerCpuSecond: Math.round(records / outcome.cpuSeconds),
    cpuSeconds: rounded(outcome.cpuSeconds),
    peakRssMiB: rounded(outcome.peakRssMiB)
  }
}

function describe({
  name,
  topic,
  mbPerCpuSecond,
  recordsPerCpuSecond,
  peakRssMiB,
  outputBytes,
  cpuSeconds
}: Run): string {
  const cells = [
    name.padEnd(7),
    topic.padEnd(5),
    `${mbPerCpuSecond.toFixed(0).padStart(5)} MB/CPU-s`,
    `${recordsPerCpuSecond.toString().padStart(8)} records/CPU-s`,
    `${cpuSeconds.toFixed(2).padStart(6)} CPU-s`,
    `${peakRssMiB.toFixed(0).padStart(4)} MiB peak`,
    `${(outputBytes / 1e6).toFixed(1).padStart(6)} MB written`
  ]
  return cells.join('  ')
}

function summary(runs: readonly Run[]) {
  const speed = (name: Program, codec: Codec) =>
    runs.find(run => run.name === name && run.topic === codec)?.mbPerCpuSecond
  const ratio = (to: Program) =>
    Object.fromEntries(
      CODECS.map(codec => [codec, rounded((speed('bronze', codec) ?? 0) / (speed(to, codec) ?? Number.NaN))])
    )
  return {
    runs,
    ratioToPython: ratio('python'),
    ratioToLimit: ratio('limit'),
    peakRssMiB: Math.max(...runs.filter(({ name }) => name === 'bronze').map(({ peakRssMiB }) => peakRssMiB))
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
