import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { systemClock } from '../lib/clock.ts'
import { EXIT_CONFIGURATION, EXIT_DEFECT } from '../lib/errors.ts'
import { jsonLog, type Log, type LogLevel } from '../lib/log.ts'
import { accessOfPod, accessOfUser } from './kube/access.ts'
import { KubeClient } from './kube/client.ts'
import { Operator } from './operator.ts'
import { startServer } from './server.ts'
import { ownerByToken } from './kube/service-account.ts'

const SAMPLE_INTERVAL_MS = 15_000
const SECRETS_INTERVAL_MS = 60_000
const PORT = 8080
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

const env = process.env

async function main(log: Log): Promise<number> {
  const consumerImage = env['CONSUMER_IMAGE'] ?? ''
  if (consumerImage === '') {
    log.error('CONSUMER_IMAGE is not set: it names the image of the consumers')
    return EXIT_CONFIGURATION
  }
  const [host, port] = [env['KUBERNETES_SERVICE_HOST'], env['KUBERNETES_SERVICE_PORT'] ?? '443']
  const access = await (host === undefined ? accessOfUser() : accessOfPod(host, port, systemClock))
  const kube = new KubeClient(access, systemClock)
  const namespace = env['POD_NAMESPACE'] ?? 'default'
  const operator = new Operator({
    kube,
    clock: systemClock,
    elapsedMs: () => performance.now(),
    log,
    namespaces: (env['WATCH_NAMESPACES'] ?? '').split(',').filter(name => name !== ''),
    consumerImage,
    namespace,
    identity: env['POD_NAME'] ?? `${hostname()}-${randomUUID()}`,
    owner: ownerByToken((await access.token?.()) ?? '', namespace),
    upgradesDefinition: env['UPGRADE_CRDS'] === 'true',
    sampleIntervalMs: SAMPLE_INTERVAL_MS,
    secretsIntervalMs: SECRETS_INTERVAL_MS
  })
  const server = await startServer(Number(env['PORT'] ?? PORT), operator)
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())
  try {
    const outcome = await operator.run(stop.signal)
    log.info(outcome === 'lost' ? 'another replica leads; ending' : 'stopped')
    return outcome === 'lost' ? 1 : 0
  } finally {
    server.close()
    server.closeAllConnections()
    kube.close()
  }
}

function openLog(): Log {
  const level = LEVELS.find(level => level === env['LOG_LEVEL']) ?? 'info'
  return jsonLog(line => process.stdout.write(line), level, Date.now)
}

// A promise nobody waited for is a defect: the log says it, the process ends.
process.on('unhandledRejection', error => {
  throw error
})

const log = openLog()
process.exitCode = await main(log).catch((error: unknown) => {
  log.error('defect', {}, error instanceof Error ? (error.stack ?? error) : error)
  return EXIT_DEFECT
})
// Sockets that do not close in time must not hold the process.
setTimeout(() => process.exit(), 2000).unref()
