import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { FileStore } from '../../../consumer/store/file.ts'
import { type DeltaRow, readDeltaRows } from '../../fakes/delta-reader.ts'
import { Consumer, type ConsumerOptions } from './consumer.ts'

export interface PipelineOptions {
  readonly bootstrap: string
  /** The rest of the `spec` in YAML: topics, batch and so on. */
  readonly spec: string
  readonly name?: string
  readonly createdAt?: string
  /** More of `spec.source`, as the inside of a flow mapping. */
  readonly source?: string
  /** In place of local tables: `spec.sink.delta`, as a flow mapping. */
  readonly delta?: string
  /** In place of that: all of `spec.sink`, as a flow mapping. */
  readonly sink?: string
}

type StartOptions = PipelineOptions & Pick<ConsumerOptions, 'instance' | 'memoryBytes' | 'env' | 'wrapper'>

/** A folder with local tables and pipelines, and the consumers that were started in it. */
export class Workplace {
  readonly folder: string
  readonly tables: FileStore
  readonly #consumers: Consumer[] = []
  #pipelines = 0

  private constructor(folder: string) {
    this.folder = folder
    this.tables = new FileStore(join(folder, 'tables'))
  }

  /** Removed at the end of the test, with everything that still runs in it. */
  static async open(context: TestContext): Promise<Workplace> {
    const workplace = new Workplace(await mkdtemp(join(tmpdir(), 'bronze-consumer-')))
    context.after(() => workplace.#close())
    return workplace
  }

  async start({ instance, memoryBytes, env, wrapper, ...pipeline }: StartOptions): Promise<Consumer> {
    const pipelineFile = join(this.folder, `pipeline-${this.#pipelines++}.yaml`)
    await writeFile(pipelineFile, this.manifest(pipeline))
    const consumer = await Consumer.start({
      folder: this.folder,
      pipelineFile,
      secrets: join(this.folder, 'secrets'),
      ...(instance === undefined ? {} : { instance }),
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      ...(env === undefined ? {} : { env }),
      ...(wrapper === undefined ? {} : { wrapper })
    })
    this.#consumers.push(consumer)
    return consumer
  }

  manifest({ bootstrap, spec, name = 'shop', createdAt, source, delta, sink }: PipelineOptions): string {
    const created = createdAt === undefined ? '' : `, creationTimestamp: "${createdAt}"`
    const tables = delta ?? `{location: "${pathToFileURL(join(this.folder, 'tables')).href}"}`
    return `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: ${name}, namespace: lake${created}}
spec:
  source: {bootstrapServers: ['${bootstrap}']${source === undefined ? '' : `, ${source}`}}
  sink: ${sink ?? `{delta: ${tables}}`}
${spec
  .trim()
  .split('\n')
  .map(line => `  ${line}\n`)
  .join('')}`
  }

  async secret(name: string, values: Readonly<Record<string, string>>): Promise<void> {
    for (const [key, value] of Object.entries(values)) await this.write(`secrets/${name}/${key}`, value)
  }

  async write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, path)), { recursive: true })
    await writeFile(join(this.folder, path), text)
  }

  /** Rows of table `a.b`, in the order of their keys, binary columns as they are; none while there is no table. */
  async rows(table: string): Promise<readonly DeltaRow[]> {
    const { rows } = await readDeltaRows(this.tables, table.replaceAll('.', '/'), { binary: true })
    return rows.toSorted(
      (a, b) => compareText(keyOf(a), keyOf(b)) || Number(a['_kafka_offset']) - Number(b['_kafka_offset'])
    )
  }

  /** `topic-partition-offset` of every row, by topic, partition and offset. */
  async keys(table: string): Promise<readonly string[]> {
    return (await this.rows(table)).map(row => `${keyOf(row)}-${String(row['_kafka_offset'])}`)
  }

  /** Whether the log of a table holds this text. */
  async logHas(table: string, text: string): Promise<boolean> {
    const folder = `${table.replaceAll('.', '/')}/_delta_log/`
    for await (const { path } of this.tables.list(folder)) {
      if ((await this.tables.get(path))?.includes(text) === true) return true
    }
    return false
  }

  async #close(): Promise<void> {
    await Promise.all(this.#consumers.map(consumer => consumer.kill()))
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** `topic-partition-offset` for offsets from `from` to before `to`. */
export function span(topic: string, partition: number, from: number, to: number): readonly string[] {
  return Array.from({ length: to - from }, (_, index) => `${topic}-${partition}-${from + index}`)
}

const keyOf = (row: DeltaRow): string => `${String(row['_kafka_topic'])}-${String(row['_kafka_partition'])}`

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
