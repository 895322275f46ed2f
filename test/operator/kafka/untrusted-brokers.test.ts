import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../../lib/clock.ts'
import { KafkaCluster, type KafkaSecurity } from '../../../operator/kafka/cluster.ts'
import type { TopicsSeen } from '../../../operator/kafka/topic-directory.ts'

const SCRAM: KafkaSecurity = { sasl: { mechanism: 'scram-sha-256', username: 'me', password: 'secret' } }
const METADATA = 3
const SASL_HANDSHAKE = 17

type Answer = (socket: Socket, request: Buffer) => void

/** A look at the topics of a broker that answers whatever it likes. */
async function look(answer: Answer, security: KafkaSecurity = {}): Promise<TopicsSeen> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', request => answer(socket, request))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const cluster = new KafkaCluster([`127.0.0.1:${(server.address() as AddressInfo).port}`], security, systemClock)
  try {
    return await cluster.topics({ names: ['orders'], hasPattern: false })
  } finally {
    await cluster.close()
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }
}

/** The code of what such a look ends with. */
async function trouble(answer: Answer, security?: KafkaSecurity): Promise<string> {
  return await look(answer, security).then(
    () => 'none',
    (error: unknown) => (error as { code: string }).code
  )
}

for (const size of [-(2 ** 31), -8, -4, -1, 0, 3]) {
  test(`an answer that says it has ${size} bytes is trouble of that cluster and of nothing else`, async () => {
    const code = await trouble(socket => void socket.write(Buffer.concat([int32(size), int32(size)])))
    assert.equal(code, 'SourceUnreachable')
  })
}

test('an answer that says it is larger than any is not waited for', async () => {
  let sentMiB = 0
  const mebibyte = Buffer.alloc(1024 * 1024)
  const flood = (socket: Socket) => {
    if (socket.destroyed || sentMiB >= 200) return
    sentMiB++
    socket.write(mebibyte, () => setImmediate(flood, socket))
  }
  const code = await trouble(socket => {
    socket.write(int32(2 ** 31 - 1))
    flood(socket)
  })
  assert.equal(code, 'SourceUnreachable')
  assert.ok(sentMiB < 100, `${sentMiB} MiB were taken`)
})

test('a login that asks for two billion rounds is refused', async () => {
  const taken: string[] = []
  const code = await trouble((socket, request) => {
    // Without SaslAuthenticate the messages of a login go over the wire bare.
    const first = /n=me,r=(.*)$/.exec(request.toString('latin1'))
    if (first !== null) {
      taken.push('first message')
      const salted = Buffer.from(`r=${first[1]}x,s=c2FsdA==,i=2000000000`)
      socket.write(Buffer.concat([int32(salted.length), salted]))
    } else if (apiKeyOf(request) === SASL_HANDSHAKE) {
      socket.write(replyTo(request, Buffer.concat([int16(0), int32(1), text('SCRAM-SHA-256')])))
    } else socket.write(replyTo(request, apis([METADATA, SASL_HANDSHAKE])))
  }, SCRAM)
  assert.equal(code, 'SourceAuthenticationFailed')
  assert.deepEqual(taken, ['first message'])
})

test('a partition that is numbered far out is not taken for the last of billions', async () => {
  const partition = (id: number) => Buffer.concat([int16(0), int32(id), int32(1), int32(0), int32(0)])
  const seen = await look((socket, request) => {
    const brokers = Buffer.concat([int32(1), int32(1), text('127.0.0.1'), int32(socket.localPort ?? 0)])
    const partitions = Buffer.concat([int32(2), partition(0), partition(2 ** 31 - 1)])
    const topics = Buffer.concat([int32(1), int16(0), text('orders'), partitions])
    const isMetadata = apiKeyOf(request) === METADATA
    socket.write(replyTo(request, isMetadata ? Buffer.concat([brokers, topics]) : apis([METADATA])))
  })
  assert.deepEqual(seen.leaders.get('orders'), [1, -1])
})

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const int16 = (value: number) => int32(value).subarray(2)
const text = (value: string) => Buffer.concat([int16(value.length), Buffer.from(value)])
const apiKeyOf = (request: Buffer) => request.readInt16BE(4)

/** The answer to ApiVersions: version 0 of each of these. */
const apis = (keys: readonly number[]) =>
  Buffer.concat([int16(0), int32(keys.length), ...keys.map(key => Buffer.concat([int16(key), int16(0), int16(0)]))])

function replyTo(request: Buffer, body: Buffer): Buffer {
  const correlationId = request.subarray(8, 12)
  return Buffer.concat([int32(4 + body.length), correlationId, body])
}
