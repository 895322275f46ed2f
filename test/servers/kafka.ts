import { randomBytes } from 'node:crypto'
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installed } from './cache.ts'
import { Authority } from './certificates.ts'
import { accepts, freePorts, startProcess, stateFolder, untilReady } from './process.ts'
import { startRestartable, type RestartableServer } from './restartable.ts'
import { shared } from './shared.ts'

/** How to reach a broker; every listener is on one address of this machine. */
export interface KafkaAddresses {
  /** Plain text, no authentication. */
  readonly bootstrap: string
  readonly saslPlaintext: string
  /** TLS; a client certificate is checked when one is shown. */
  readonly ssl: string
  /** TLS that demands a client certificate. */
  readonly mutualTls: string
  readonly saslSsl: string
  /** Paths of PEM files. */
  readonly certificates: { readonly ca: string; readonly clientCert: string; readonly clientKey: string }
  /**
   * PLAIN knows `plain`; SCRAM-SHA-256 and SCRAM-SHA-512 know `scram`; OAUTHBEARER takes any unsecured JWT that has not
   * expired.
   */
  readonly users: { readonly plain: KafkaUser; readonly scram: KafkaUser }
}

export interface KafkaUser {
  readonly username: string
  readonly password: string
}

export interface KafkaServer extends KafkaAddresses, RestartableServer {}

export interface KafkaOptions {
  /** Lines for server.properties, for example `log.retention.check.interval.ms`. */
  readonly properties?: Readonly<Record<string, string | number | boolean>>
  readonly heapMiB?: number
  /** The address it listens at and gives its clients; 127.0.0.1 when absent. */
  readonly host?: string
}

const USERS = {
  plain: { username: 'plain-user', password: 'plain-secret' },
  scram: { username: 'scram-user', password: 'scram-secret' }
}

let own: Promise<KafkaServer> | undefined

/** The broker of the whole test run, or one for this process. Others use it too: take unique names for topics and groups. */
export async function sharedKafka(): Promise<KafkaAddresses> {
  return (shared('kafka') as KafkaAddresses | undefined) ?? (own ??= startKafka())
}

/** Apache Kafka of its own: one node, KRaft. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  const { host = '127.0.0.1' } = options
  const state = await stateFolder('kafka')
  const [plain = 0, controller = 0, sasl = 0, ssl = 0, mutual = 0, saslSsl = 0] = await freePorts(6)
  const ports = { plain, controller, sasl, ssl, mutual, saslSsl }
  const certificates = await writeCertificates(state.path, host)
  const config = join(state.path, 'server.properties')
  await writeFile(config, propertiesText({ ...properties(ports, state.path, host), ...options.properties }))
  await format(config)

  const heap = options.heapMiB ?? 512
  const launch = async () => {
    const args = [`-Xms${heap}m`, `-Xmx${heap}m`, '-XX:+UseG1GC', ...JVM_ARGS, classPath(), 'kafka.Kafka', config]
    const server = startProcess('java', args, { log: join(state.path, 'log'), state: state.path })
    // The last of the listeners to open is not known, so all must be.
    const open = async () => (await Promise.all(Object.values(ports).map(port => accepts(port, host)))).every(Boolean)
    await untilReady('Kafka', server, open)
    return server
  }
  const at = (port: number) => `${host}:${port}`
  return Object.assign(await startRestartable(state, launch), {
    bootstrap: at(plain),
    saslPlaintext: at(sasl),
    ssl: at(ssl),
    mutualTls: at(mutual),
    saslSsl: at(saslSsl),
    certificates,
    users: USERS
  })
}

const JVM_ARGS = [
  '-Djava.net.preferIPv4Stack=true',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-cp'
]

/** Writes the folder's metadata, with the SCRAM users in it: a running broker would have to be asked by its admin protocol. */
async function format(config: string): Promise<void> {
  const { username, password } = USERS.scram
  const scram = [256, 512].flatMap(bits => ['--add-scram', `SCRAM-SHA-${bits}=[name=${username},password=${password}]`])
  const bytes = randomBytes(16)
  // A first character of "-" would be taken for an option.
  bytes[0] = 0
  const id = bytes.toString('base64url')
  const jvm = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...JVM_ARGS, classPath()]
  await promisify(execFile)('java', [...jvm, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', config, ...scram])
}

const classPath = () => join(installed('kafka', 'jars'), '*')

async function writeCertificates(folder: string, host: string): Promise<KafkaAddresses['certificates']> {
  const tls = join(folder, 'tls')
  await mkdir(tls)
  const authority = new Authority('kafka-test-ca')
  const names = { dnsNames: ['localhost'], addresses: [...new Set(['127.0.0.1', host])] }
  const broker = authority.issue({ commonName: 'broker', usage: 'server', ...names })
  const client = authority.issue({ commonName: 'client', usage: 'client' })
  const files = {
    'ca.pem': authority.cert,
    'client.crt': client.cert,
    'client.key': client.key,
    'broker.pem': broker.key + broker.cert + authority.cert
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(tls, name), text)
  const path = (name: keyof typeof files) => join(tls, name)
  return { ca: path('ca.pem'), clientCert: path('client.crt'), clientKey: path('client.key') }
}

interface Ports {
  readonly plain: number
  readonly controller: number
  readonly sasl: number
  readonly ssl: number
  readonly mutual: number
  readonly saslSsl: number
}

function properties(ports: Ports, folder: string, host: string): Record<string, string | number | boolean> {
  const listeners = {
    PLAINTEXT: ports.plain,
    SASL_PLAINTEXT: ports.sasl,
    SSL: ports.ssl,
    MUTUAL: ports.mutual,
    SASL_SSL: ports.saslSsl
  }
  const addresses = Object.entries(listeners).map(([name, port]) => `${name}://${host}:${port}`)
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${host}:${ports.controller}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    listeners: [...addresses, `CONTROLLER://${host}:${ports.controller}`].join(','),
    'advertised.listeners': addresses.join(','),
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,MUTUAL:SSL,SASL_SSL:SASL_SSL',
    'log.dirs': join(folder, 'data'),
    'num.partitions': 1,
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    // A killed broker may register again when its old session has ended.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'message.max.bytes': 10_485_760,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': join(folder, 'tls', 'broker.pem'),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': join(folder, 'tls', 'ca.pem'),
    'ssl.client.auth': 'requested',
    'listener.name.mutual.ssl.client.auth': 'required',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    ...saslModules('sasl_plaintext'),
    ...saslModules('sasl_ssl')
  }
}

/** The modules of both SASL listeners; OAUTHBEARER keeps the broker's own validator of unsecured tokens. */
function saslModules(listener: string): Record<string, string> {
  const security = 'org.apache.kafka.common.security'
  const { username, password } = USERS.plain
  const modules = {
    plain: `${security}.plain.PlainLoginModule required user_${username}="${password}";`,
    'scram-sha-256': `${security}.scram.ScramLoginModule required;`,
    'scram-sha-512': `${security}.scram.ScramLoginModule required;`,
    oauthbearer: `${security}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`
  }
  const entries = Object.entries(modules)
  return Object.fromEntries(entries.map(([name, text]) => [`listener.name.${listener}.${name}.sasl.jaas.config`, text]))
}

const propertiesText = (values: Readonly<Record<string, string | number | boolean>>) =>
  Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
