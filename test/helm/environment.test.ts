/** What the chart's values `proxy` and `extraCa` promise of Node, and of our way to ask. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Authority } from '../servers/certificates.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** What an OAuth endpoint is asked with, and what the API server is. */
const ASK = `
  import { fetchText } from './lib/http.ts'
  const options = { timeoutMs: 5000, maxAnswerBytes: 1000 }
  const { body } = await fetchText({ method: 'POST', url: process.argv[1], headers: {}, body: 'x' }, options)
  console.log(body)`
const ASK_CLUSTER = `
  import { KubeClient } from './operator/kube/client.ts'
  import { systemClock } from './lib/clock.ts'
  import { PODS } from './operator/kube/kube.ts'
  const kube = new KubeClient({ server: process.argv[1] }, systemClock)
  console.log(JSON.stringify(await kube.get(PODS, 'a', 'b')))
  kube.close()`

async function run(script: string, url: string, env: NodeJS.ProcessEnv): Promise<string> {
  const args = ['--input-type=module', '--eval', script, url]
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (text += part))
  await once(child, 'close')
  return text
}

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

test('token endpoints are asked through the proxy unless noProxy names them, the API server is not', async t => {
  const seen: string[] = []
  const proxy = createServer((request, response) => {
    seen.push(request.url ?? '')
    response.end('"by the proxy"')
  })
  proxy.on('connect', (request, socket) => {
    seen.push(request.url ?? '')
    socket.end('HTTP/1.1 502 no way\r\n\r\n')
  })
  const address = `http://127.0.0.1:${await listen(t, proxy)}`
  const { url, ca } = await secureServer(t)
  const env = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: address, HTTPS_PROXY: address, NODE_EXTRA_CA_CERTS: ca }
  assert.match(await run(ASK, 'http://idp.example/token', env), /by the proxy/)
  assert.match(await run(ASK, url, env), /502/)
  assert.deepEqual(seen, ['http://idp.example/token', new URL(url).host])
  assert.match(await run(ASK, url, { ...env, NO_PROXY: '127.0.0.1' }), /trusted/)
  assert.match(await run(ASK_CLUSTER, url, env), /trusted/)
  assert.equal(seen.length, 2)
})

test('an authority of NODE_EXTRA_CA_CERTS is trusted', async t => {
  const { url, ca } = await secureServer(t)
  assert.match(await run(ASK, url, { NODE_EXTRA_CA_CERTS: ca }), /^\{"kind":"trusted"/)
  assert.match(await run(ASK, url, {}), /certificate/)
})

/** A server with the certificate of an authority of its own, which lies in the file `ca`. */
async function secureServer(t: TestContext): Promise<{ readonly url: string; readonly ca: string }> {
  const authority = new Authority('company')
  const { cert, key } = authority.issue({ commonName: 'idp', usage: 'server', addresses: ['127.0.0.1'] })
  const server = createTlsServer({ cert, key }, (_request, response) => response.end('{"kind":"trusted"}'))
  const folder = await mkdtemp(join(tmpdir(), 'bronze-ca-'))
  t.after(() => rm(folder, { recursive: true }))
  const ca = join(folder, 'ca.crt')
  await writeFile(ca, authority.cert)
  return { url: `https://127.0.0.1:${await listen(t, server)}/token`, ca }
}
