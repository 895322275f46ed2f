import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { served } from './apis/served.ts'
import type { FaultPlan } from './faults.ts'
import type { Broker } from './state.ts'
import type { Api, Call } from './wire/api.ts'
import { ERROR } from './wire/error-codes.ts'
import { frames } from './wire/frames.ts'
import { Reader } from './wire/reader.ts'
import { Writer } from './wire/writer.ts'

const API_VERSIONS = 18
/** What may be asked before SASL has ended: SaslHandshake, ApiVersions, SaslAuthenticate. */
const BEFORE_SASL = new Set([17, 18, 36])

/** Listens, and answers each connection's requests one after another, as Kafka does. */
export class BrokerServer {
  #server: Server
  #sockets = new Set<Socket>()
  #faults: FaultPlan
  #delays = new Set<AbortController>()

  constructor(faults: FaultPlan) {
    this.#faults = faults
    this.#server = createServer({ noDelay: true })
  }

  /** Resolves with the port once bound. Connections are taken from `serve` on. */
  async listen(host: string, port: number): Promise<number> {
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  serve(broker: Broker): void {
    this.#server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => {}) // 'close' follows
      void this.#converse(broker, socket)
    })
  }

  async stop(): Promise<void> {
    for (const delay of this.#delays) delay.abort()
    for (const socket of this.#sockets) socket.destroy()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  async #converse(broker: Broker, socket: Socket): Promise<void> {
    const session: Call['session'] = {}
    try {
      for await (const frame of frames(socket)) {
        const answer = await this.#answer(broker, socket, frame, session)
        if (answer === 'close') break
        if (answer !== undefined && !socket.destroyed) await send(socket, answer)
      }
    } catch {
      // A request that cannot be read, or a connection that broke: Kafka closes it too, and the client tries again.
    }
    socket.destroy()
  }

  async #answer(broker: Broker, socket: Socket, frame: Buffer, session: Call['session']): Promise<Answer> {
    const { api, apiVersion, correlationId, clientId, body } = readRequest(frame)
    if (body === undefined) return unsupported(correlationId)
    if (broker.users.size > 0 && session.user === undefined && !BEFORE_SASL.has(api.key)) return 'close'
    const fault = this.#faults.decide({ apiKey: api.key, apiVersion, clientId, body })
    if (fault === 'dropBefore') return 'close'
    const injected = typeof fault === 'object' ? fault : {}
    if (injected.delayMs !== undefined) await this.#delay(injected.delayMs)
    const response = await api.handle(broker, body, {
      apiVersion,
      clientId,
      clientHost: socket.remoteAddress ?? '',
      session,
      injected: topic => (injected.topic === undefined || injected.topic === topic ? (injected.errorCode ?? 0) : 0)
    })
    if (fault === 'dropAfter') return 'close'
    return response === undefined ? undefined : writeResponse(api, apiVersion, correlationId, response)
  }

  /** Ends early when the broker stops. */
  #delay(ms: number): Promise<void> {
    const controller = new AbortController()
    this.#delays.add(controller)
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(timer)
        this.#delays.delete(controller)
        resolve()
      }
      const timer = setTimeout(done, ms)
      controller.signal.addEventListener('abort', done)
    })
  }
}

type Answer = readonly Buffer[] | 'close' | undefined

/** Body is undefined for a version of ApiVersions that is not served; anything else not served throws. */
function readRequest(frame: Buffer) {
  const head = new Reader(frame, 0, false)
  const apiKey = head.int16()
  const apiVersion = head.int16()
  const correlationId = head.int32()
  const clientId = head.string() ?? '' // never compact, also in the flexible header
  const api = served.get(apiKey)
  if (api === undefined) throw new RangeError(`API key ${apiKey} is not served`)
  const [first, last] = api.versions
  if (apiVersion < first || apiVersion > last) {
    if (apiKey === API_VERSIONS) return { api, apiVersion, correlationId, clientId, body: undefined }
    throw new RangeError(`version ${apiVersion} of API key ${apiKey} is not served`)
  }
  const reader = new Reader(frame, apiVersion, apiVersion >= api.flexibleFrom, head.position)
  if (reader.flexible) reader.taggedFields(() => {})
  return { api, apiVersion, correlationId, clientId, body: api.request.read(reader) }
}

function writeResponse(
  api: Api,
  version: number,
  correlationId: number,
  response: unknown,
  flexible = version >= api.flexibleFrom
) {
  const writer = new Writer(version, flexible)
  writer.int32(correlationId)
  // The header of ApiVersions never has tagged fields: its reader does not know the version yet (KIP-511).
  if (flexible && api.key !== API_VERSIONS) writer.unsignedVarint(0)
  api.response.write(writer, response)
  const size = Buffer.alloc(4)
  size.writeInt32BE(writer.size)
  return [size, ...writer.finish()]
}

/** A version of ApiVersions that is too new is answered in version 0, with what is served (KIP-511). */
function unsupported(correlationId: number): readonly Buffer[] {
  const api = served.get(API_VERSIONS) as Api
  const [minVersion, maxVersion] = api.versions
  const response = { errorCode: ERROR.UNSUPPORTED_VERSION, apiKeys: [{ apiKey: api.key, minVersion, maxVersion }] }
  return writeResponse(api, 0, correlationId, response)
}

/** Writes without copying; waits while the client does not read. */
async function send(socket: Socket, parts: readonly Buffer[]): Promise<void> {
  socket.cork()
  let hasRoom = true
  for (const part of parts) hasRoom = socket.write(part)
  socket.uncork()
  if (hasRoom) return
  await new Promise<void>(resolve => {
    const done = () => {
      socket.off('drain', done)
      socket.off('close', done)
      resolve()
    }
    socket.once('drain', done)
    socket.once('close', done)
  })
}
