import { readFile } from 'node:fs/promises'
import { writeFileSync } from 'node:fs'
import { readPipelines } from '../crds/documents.ts'
import { partOf } from '../crds/part.ts'
import { settle } from '../crds/settle.ts'
import type { SettledPipeline } from '../crds/settled.ts'
import { systemClock } from '../lib/clock.ts'
import { EXIT_CONFIGURATION, EXIT_DEFECT, FatalError, errorText } from '../lib/errors.ts'
import { jsonLog, type Log } from '../lib/log.ts'
import { retrying } from '../lib/retry.ts'
import { secretFolder } from '../lib/secrets.ts'
import { tuneCollector } from './collector.ts'
import { openValueReaders } from './decode/value-readers.ts'
import { endedLags } from './ends.ts'
import { Health } from './health.ts'
import { ingest } from './ingest.ts'
import { SINK_CLIENT_BYTES, memoryLimitBytes, planMemory } from './memory.ts'
import { ConsumerMetrics } from './metrics.ts'
import { allOf } from './observer.ts'
import { parseConsumerOptions, type ConsumerOptions } from './options.ts'
import { startServer } from './server.ts'
import { connectSinks, locationOf } from './sinks/connect.ts'
import type { Sinks } from './sinks/ports.ts'
import type { CommitAuthor } from './sink.ts'
import type { Slot } from './slot.ts'
import { openKafkaSource } from './source/kafka-source.ts'
import { openDeadLetterProducer } from './source/producer.ts'

const SESSION_TIMEOUT_MS = 30_000
const METADATA_REFRESH_MS = 30_000
/** What a stop may take less than the pod's grace period, so that the exit code is still ours. */
const STOP_MARGIN_MS = 3000

const isInCluster = process.env['KUBERNETES_SERVICE_HOST'] !== undefined
const write = (line: string) => process.stdout.write(line)

/** To whom the end is told; better known once the options and the pipeline are read. */
interface Witness {
  log: Log
  terminationLog: string | undefined
}

async function main(witness: Witness): Promise<number> {
  try {
    const options = parseConsumerOptions(process.argv.slice(2), isInCluster)
    witness.terminationLog = options.terminationLog
    const pipeline = await readPipeline(options)
    const log = jsonLog(write, pipeline.consumer.logLevel, Date.now, {
      pipeline: pipeline.name,
      consumer: options.instanceId
    })
    witness.log = log
    await consume(pipeline, options, log)
    log.info('stopped')
    return 0
  } catch (error) {
    return tellEnd(error, witness)
  }
}

/** Gives the exit code. */
function tellEnd(error: unknown, { log, terminationLog }: Witness): number {
  const isFatal = error instanceof FatalError
  const reason = isFatal ? error.reason : 'Defect'
  log.error(isFatal ? 'cannot go on' : 'defect', { reason }, isFatal ? error : stackOf(error))
  if (terminationLog !== undefined) leaveMessage(terminationLog, reason, errorText(error), log)
  return isFatal ? EXIT_CONFIGURATION : EXIT_DEFECT
}

async function readPipeline({ pipelineFile: file, topics }: ConsumerOptions): Promise<SettledPipeline> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new FatalError('PipelineUnreadable', `--pipeline ${file} cannot be read`, { cause: error })
  })
  const { pipelines, problems } = readPipelines(text, file)
  const [pipeline] = pipelines
  if (problems.length > 0 || pipeline === undefined) {
    const found = problems.map(({ path, message }) => `${path}: ${message}`).join('; ')
    throw new FatalError('InvalidPipeline', found || `${file} holds no BronzePipeline`)
  }
  const part = partOf(settle(pipeline), topics)
  if (!part.ok) throw new FatalError('BadCommandLine', `--topic: ${part.problem}`)
  return part.pipeline
}

async function consume(pipeline: SettledPipeline, options: ConsumerOptions, log: Log): Promise<void> {
  const stopping = stopSignal(options, pipeline, log)
  const readSecret = secretFolder(options.secretsFolder)
  const memory = planMemory(await memoryLimitBytes(options.memoryBytes), SINK_CLIENT_BYTES[pipeline.sink.kind])
  const identity = { clientId: options.instanceId, readSecret, clock: systemClock, log }
  const limits = { ...memory, sessionTimeoutMs: SESSION_TIMEOUT_MS, metadataRefreshMs: METADATA_REFRESH_MS }
  const source = openKafkaSource({ ...identity, pipeline, instanceId: options.instanceId, limits })
  const producer = openDeadLetterProducer({ ...identity, pipeline })
  const health = new Health()
  let bufferBytes = () => 0
  let slots: () => readonly Slot[] = () => []
  const lags = () => endedLags(source.lags(), slots())
  const metrics = new ConsumerMetrics({ lags, bufferBytes: () => bufferBytes() })
  const server = await startServer(options.host, options.port, { health, metrics, isReady: () => source.isMember() })
  const author = authorOf(pipeline, options)
  const observer = allOf([health.observer, metrics.observer])
  const readers = openValueReaders(pipeline, { readSecret, clock: systemClock, log })
  const location = locationOf(pipeline)
  log.info('starting', { budgetBytes: memory.budgetBytes, fetchBytes: memory.fetchBytes, location })
  let sinks: Sinks | undefined
  try {
    sinks = await retrying(
      () => connectSinks(pipeline, { ...identity, author, onWarehouseSeconds: metrics.warehouseUsed }),
      systemClock,
      stopping,
      (error, waitMs) => {
        log.warn('the sink could not be reached', { code: error.code, waitMs }, error)
        observer.sinkFailed(location, error.code)
      }
    )
    if (sinks === undefined) return
    observer.sinkWorks(location)
    const opened = sinks
    await ingest(
      pipeline,
      {
        source,
        openSink: plan => opened.open(plan),
        readerFor: (entry, place) => readers.readerFor(entry, place),
        sendDeadLetters: records => producer.send(records),
        clock: systemClock,
        log,
        observer,
        author,
        budgetBytes: memory.budgetBytes,
        onBufferBytes: read => void (bufferBytes = read),
        onSlots: read => void (slots = read)
      },
      stopping
    )
  } finally {
    readers.close()
    await Promise.allSettled([producer.close(), sinks?.close()])
    server.close()
    server.closeAllConnections()
  }
}

const authorOf = ({ namespace, name, createdAt }: SettledPipeline, { instanceId }: ConsumerOptions): CommitAuthor => ({
  pipeline: `${namespace}/${name}`,
  createdAt,
  consumerId: instanceId
})

/** Aborts on SIGTERM, SIGINT, or the parent's end; a stop that outlasts the grace period ends the process. */
function stopSignal({ exitWithParent }: ConsumerOptions, pipeline: SettledPipeline, log: Log): AbortSignal {
  const stop = new AbortController()
  const begin = (why: string) => {
    if (stop.signal.aborted) return
    log.info('stopping', { why })
    stop.abort()
    const deadlineMs = Math.max(1000, pipeline.consumer.terminationGracePeriodSeconds * 1000 - STOP_MARGIN_MS)
    setTimeout(() => {
      // Nothing is lost: what is not committed is read again.
      log.error('the stop took longer than the grace period', { deadlineMs })
      process.exit(1)
    }, deadlineMs).unref()
  }
  process.on('SIGTERM', () => begin('SIGTERM'))
  process.on('SIGINT', () => begin('SIGINT'))
  if (exitWithParent) {
    const input = process.stdin
    input.on('end', () => begin('parent ended')).on('error', () => begin('parent ended'))
    input.resume()
    // An open pipe must not hold a process that is done.
    if ('unref' in input) input.unref()
  }
  return stop.signal
}

/** The pod's termination message: JSON, at most 4 KiB, which the operator shows in the resource's condition. */
function leaveMessage(file: string, reason: string, message: string, log: Log): void {
  try {
    writeFileSync(file, JSON.stringify({ reason, message: message.slice(0, 3000) }))
  } catch (error) {
    log.warn('the termination message could not be written', { file }, error)
  }
}

const stackOf = (error: unknown): unknown => (error instanceof Error ? (error.stack ?? error.message) : error)

const witness: Witness = {
  log: jsonLog(write, 'info', Date.now),
  terminationLog: isInCluster ? '/dev/termination-log' : undefined
}
// What nobody caught, promises that nobody waited for included, is a defect wherever it was thrown.
process.on('uncaughtException', error => process.exit(tellEnd(error, witness)))

tuneCollector()
process.exitCode = await main(witness)
// Sockets of clients that do not close in time must not hold the process.
setTimeout(() => process.exit(), 2000).unref()
