import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { constants, zstdCompressSync } from 'node:zlib'
import { pythonPath } from '../test/servers/readers.ts'
import { drain } from './consumer.ts'
import { ended, measured, type Account } from './measured.ts'
import { payloads } from './records.ts'

export type Codec = 'none' | 'zstd'

export interface Work {
  readonly bootstrap: string
  readonly topic: string
  readonly codec: Codec
  readonly partitions: number
  readonly records: number
  /** Scratch, for this work alone. */
  readonly folder: string
}

export interface Outcome extends Account {
  readonly records: number
  readonly outputBytes: number
}

/** Records per append of the Python program: about as many bytes as a batch of ours. */
const PYTHON_BATCH = 100_000
const BLOCK_BYTES = 2 ** 20

/** Where records are produced to. */
export type Target = Pick<Work, 'bootstrap' | 'topic' | 'partitions' | 'codec'>

/** Fills a new topic; each value may be overwritten once the next one is asked for. */
export async function produce(
  { bootstrap, topic, partitions, codec }: Target,
  values: Iterable<string | Uint8Array>
): Promise<void> {
  const args = [peer('produce.py'), bootstrap, topic, String(partitions), codec]
  const child = spawn(pythonPath(), args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const done = ended(child, 'the producer')
  let pieces: Uint8Array[] = []
  let size = 0
  for (const value of values) {
    const head = Buffer.alloc(4)
    const bytes = Buffer.from(value)
    head.writeUInt32LE(bytes.length)
    pieces.push(head, bytes)
    size += bytes.length
    if (size < BLOCK_BYTES) continue
    if (!child.stdin.write(Buffer.concat(pieces))) await once(child.stdin, 'drain')
    pieces = []
    size = 0
  }
  child.stdin.end(Buffer.concat(pieces))
  await done
}

/** One consumer with the columns of a raw bronze table, from an empty table until all records are in it. */
export async function runConsumer(work: Work): Promise<Outcome> {
  const { folder, records } = work
  const tables = join(folder, 'tables')
  await mkdir(tables)
  const table = join(tables, 'bronze', 'events')
  const account = await drain(folder, spec(work, tables), async () => (await committed(table)).records >= records)
  return { ...account, ...(await committed(table)) }
}

/** Reads the bytes from a socket and compresses them. */
export async function runLimit({ codec, records, folder }: Work): Promise<Outcome> {
  const server = createServer(socket => {
    socket.on('error', () => {})
    void (async () => {
      for (const block of blocks(records, codec)) if (!socket.write(block)) await once(socket, 'drain')
      socket.end()
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const { child, account } = measured(folder, 'limit', new URL('limit.ts', import.meta.url), [String(port), codec])
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  const usage = await account
  server.close()
  return { ...usage, records, outputBytes: (JSON.parse(output) as { outputBytes: number }).outputBytes }
}

/** confluent-kafka and deltalake in Python. */
export async function runPython({ bootstrap, topic, partitions, records, folder }: Work): Promise<Outcome> {
  const table = join(folder, 'python')
  const numbers = [partitions, records].map(String)
  const args = [peer('python_delta.py'), bootstrap, topic, ...numbers, table, String(PYTHON_BATCH)]
  const output = await ended(spawn(pythonPath(), args, { stdio: ['ignore', 'pipe', 'inherit'] }), 'the Python program')
  const usage = JSON.parse(output.trim().split('\n').at(-1) ?? '') as Account
  return { ...usage, ...(await committed(table)) }
}

const spec = ({ bootstrap, topic }: Work, tables: string) => ({
  source: { bootstrapServers: [bootstrap], groupId: `bench-${topic}` },
  topics: [{ name: 'events', topic, table: 'bronze.events', format: 'Json' }],
  metadataColumns: ['Topic', 'Key', 'Headers', 'IngestionId', 'ConsumerId'].map(source => ({ source, omit: true })),
  batch: { triggerInterval: '10s' },
  sink: { delta: { location: pathToFileURL(tables).href, partitionBy: 'Date' } }
})

/** What a Delta table holds by its log. */
async function committed(table: string): Promise<{ records: number; outputBytes: number }> {
  const log = join(table, '_delta_log')
  const entries = (await readdir(log).catch(() => [])).filter(name => /^[0-9]{20}\.json$/.test(name))
  let [records, outputBytes] = [0, 0]
  for (const name of entries) {
    for (const line of (await readFile(join(log, name), 'utf8')).split('\n')) {
      if (!line.startsWith('{"add"')) continue
      const { add } = JSON.parse(line) as { add: { path: string; stats: string } }
      records += (JSON.parse(add.stats) as { numRecords: number }).numRecords
      outputBytes += (await stat(join(table, decodeURIComponent(add.path)))).size
    }
  }
  return { records, outputBytes }
}

function* blocks(records: number, codec: Codec): Generator<Buffer> {
  let text = ''
  for (const payload of payloads(records)) {
    text += payload
    if (text.length < BLOCK_BYTES) continue
    yield block(text, codec)
    text = ''
  }
  yield block(text, codec)
}

function block(text: string, codec: Codec): Buffer {
  const bytes = Buffer.from(text)
  const params = { [constants.ZSTD_c_compressionLevel]: 3 }
  const content = codec === 'zstd' ? zstdCompressSync(bytes, { params }) : bytes
  const head = Buffer.alloc(4)
  head.writeUInt32LE(content.length)
  return Buffer.concat([head, content])
}

const peer = (script: string) => fileURLToPath(new URL(`peers/${script}`, import.meta.url))
