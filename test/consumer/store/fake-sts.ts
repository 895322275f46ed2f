import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { serveHttp } from '../../fakes/http-server.ts'

export interface Given {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiresAtMs: number
}

export interface FakeSts {
  readonly endpoint: string
  /** What AssumeRoleWithWebIdentity was asked with. */
  readonly asked: { readonly role: string | null; readonly token: string | null }[]
}

export interface StsRefusal {
  readonly status: number
  readonly code: string
  readonly message: string
}

/** The one operation of AWS's token service by which a pod's token becomes credentials (API version 2011-06-15). */
export async function fakeSts(context: TestContext, give: (token: string) => Given | StsRefusal): Promise<FakeSts> {
  const asked: FakeSts['asked'] = []
  const endpoint = await serveHttp(context, (request, response) => {
    void text(request).then(body => {
      const form = new URLSearchParams(body)
      asked.push({ role: form.get('RoleArn'), token: form.get('WebIdentityToken') })
      const given = give(form.get('WebIdentityToken') ?? '')
      response.writeHead('status' in given ? given.status : 200, { 'content-type': 'text/xml' })
      response.end('status' in given ? refusal(given) : credentials(given))
    })
  })
  return { endpoint, asked }
}

const credentials = ({ accessKeyId, secretAccessKey, sessionToken, expiresAtMs }: Given): string =>
  '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>' +
  `<Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey>` +
  `<SessionToken>${sessionToken}</SessionToken><Expiration>${new Date(expiresAtMs).toISOString()}</Expiration></Credentials>` +
  '<AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/bronze/x</Arn><AssumedRoleId>A:x</AssumedRoleId></AssumedRoleUser>' +
  '</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>'

const refusal = ({ code, message }: StsRefusal): string =>
  '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">' +
  `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`

/** The environment's variables by which an SDK finds an identity, set to these alone until the test ends. */
export function withIdentity(context: TestContext, variables: Readonly<Record<string, string>>): void {
  const before = { ...process.env }
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  // Nobody is asked who lives beyond the loopback, and no one's own settings are read.
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/nowhere/config',
    AWS_SHARED_CREDENTIALS_FILE: '/nowhere/credentials',
    ...variables
  })
  context.after(() => {
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
    Object.assign(process.env, before)
  })
}
