import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import type { KubeAddresses } from '../../servers/kube.ts'

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface KubeApi {
  readonly call: (method: string, path: string, body?: unknown, contentType?: string) => Promise<Answer>
  readonly close: () => void
}

/** The API server without a client between, on one connection; waits while a new CRD answers 429. */
export function kubeApi({ server, kubeconfig, ca }: KubeAddresses): KubeApi {
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    users: readonly [{ user: Readonly<Record<'client-certificate-data' | 'client-key-data', string>> }]
  }
  const { user } = config.users[0]
  const pem = (base64: string) => Buffer.from(base64, 'base64')
  const identity = { ca, cert: pem(user['client-certificate-data']), key: pem(user['client-key-data']) }
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...identity })
  const once = (method: string, path: string, body: unknown, contentType: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const sent = request(
      new URL(path, server),
      { method, agent, headers: { 'content-type': contentType } },
      response => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => (text += part))
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Answer['body'] })
        })
      }
    )
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
    return promise
  }
  return {
    call: async (method, path, body, contentType = 'application/json') => {
      for (;;) {
        const answer = await once(method, path, body, contentType)
        if (answer.status !== 429) return answer
        await new Promise(resolve => setTimeout(resolve, 200))
      }
    },
    close: () => {
      agent.destroy()
    }
  }
}
