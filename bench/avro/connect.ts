import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cacheFolder } from '../../test/servers/cache.ts'
import { freePorts, startProcess } from '../../test/servers/process.ts'
import { ended, type Account } from '../measured.ts'

const POM = fileURLToPath(new URL('connect/pom.xml', import.meta.url))
const PARTS = ['runtime', 'plugin'] as const
const HEAP = '1g'
const PATIENCE_MS = 900_000
const LOOK_EVERY_MS = 250

/** One worker of Kafka Connect with the Iceberg sink, until the table is full. */
export async function runConnect(
  folder: string,
  worker: Readonly<Record<string, string>>,
  connector: Readonly<Record<string, string>>,
  isFull: () => Promise<boolean>
): Promise<Account> {
  const jars = await installConnect()
  const [port = 0] = await freePorts(1)
  await mkdir(folder, { recursive: true })
  const [workerFile, connectorFile] = [join(folder, 'worker.properties'), join(folder, 'connector.properties')]
  await writeFile(
    workerFile,
    propertiesText({
      ...worker,
      'offset.storage.file.filename': join(folder, 'offsets'),
      listeners: `http://127.0.0.1:${port}`,
      'plugin.path': join(jars, 'plugins'),
      'plugin.discovery': 'service_load'
    })
  )
  await writeFile(connectorFile, propertiesText(connector))
  const classPath = ['-cp', join(jars, 'runtime', '*'), 'org.apache.kafka.connect.cli.ConnectStandalone']
  const logging = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Daws.region=us-east-1']
  const args = [`-Xms${HEAP}`, `-Xmx${HEAP}`, ...logging, ...classPath, workerFile, connectorFile]
  const server = startProcess('java', args, { log: join(folder, 'connect.log') })
  try {
    const deadline = Date.now() + PATIENCE_MS
    while (!(await isFull())) {
      if (!server.isRunning() || Date.now() > deadline) {
        throw new Error(`Kafka Connect did not fill the table:\n${await server.tail()}`)
      }
      await wait(LOOK_EVERY_MS)
    }
    return await accountOf(server.pid)
  } finally {
    await server.stop()
  }
}

/** What Linux counted for a running process: proc(5), `stat` and `status`. */
async function accountOf(pid: number): Promise<Account> {
  const [stat, status] = await Promise.all(['stat', 'status'].map(name => readFile(`/proc/${pid}/${name}`, 'utf8')))
  // Counted after the name, which may have blanks in it.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  const TICKS_PER_SECOND = 100
  const peakKiB = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status ?? '')?.[1])
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND, peakRssMiB: peakKiB / 1024 }
}

/** The folder of the worker's jars, by Maven, kept with the test servers. */
async function installConnect(): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(POM))
    .digest('hex')
    .slice(0, 8)
  const folder = join(cacheFolder(), `connect-${digest}`)
  if (existsSync(folder)) return folder
  const unfinished = `${folder}.${process.pid}`
  await mkdir(unfinished, { recursive: true })
  for (const part of PARTS) {
    const into = join(unfinished, part === 'plugin' ? 'plugins/iceberg' : part)
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${into}`]
    await ended(spawn('mvn', ['-B', '-q', '-f', POM, '-P', part, ...goal], { stdio: ['ignore', 'pipe', 2] }), 'mvn')
  }
  await rename(unfinished, folder).catch(async () => await rm(unfinished, { recursive: true }))
  return folder
}

const propertiesText = (properties: Readonly<Record<string, string>>): string =>
  Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
