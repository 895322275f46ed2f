import { randomUUID } from 'node:crypto'
import type { ConnectOptions, SnowflakeAddresses } from './snowflake.ts'

/** A session for tests, by plain requests: it repeats nothing and hides nothing. */
export interface SnowflakeClient {
  /** Throws `SnowflakeRefusal`. */
  readonly query: (text: string, ...binds: readonly (string | number | boolean | null)[]) => Promise<QueryAnswer>
  /** The rows of a query alone. */
  readonly rows: (text: string, ...binds: readonly (string | number | boolean | null)[]) => Promise<readonly Row[]>
  /** Sends a request of this id, to repeat one. */
  readonly send: (requestId: string, text: string) => Promise<QueryAnswer>
  readonly put: (stage: string, name: string, bytes: Uint8Array) => Promise<void>
  readonly close: () => Promise<void>
}

/** Values as they are on the wire. */
export type Row = Readonly<Record<string, string | null>>

export interface QueryAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly Row[]
  readonly queryId: string
}

/** A statement or a login that was refused. */
export class SnowflakeRefusal extends Error {
  readonly code: string
  readonly sqlState: string | undefined

  constructor(code: string, sqlState: string | undefined, message: string) {
    super(message)
    this.code = code
    this.sqlState = sqlState
  }
}

interface Answer {
  readonly success: boolean
  readonly code: string | null
  readonly message: string | null
  readonly data: Readonly<Record<string, unknown>> | null
}

interface StageInfo {
  readonly endPoint: string
  readonly location: string
  readonly creds: { readonly GCS_ACCESS_TOKEN: string }
}

/** Logs in; throws `SnowflakeRefusal`. */
export async function snowflakeClient(to: SnowflakeAddresses, options: ConnectOptions): Promise<SnowflakeClient> {
  const names = {
    databaseName: options.database ?? to.database,
    ...(options.schema === undefined ? {} : { schemaName: options.schema }),
    warehouse: options.warehouse ?? to.warehouse,
    roleName: to.role
  }
  const login = options.login ?? { LOGIN_NAME: to.user, PASSWORD: to.password }
  const data = { ACCOUNT_NAME: to.account, SESSION_PARAMETERS: options.parameters ?? {}, ...login }
  const path = `/session/v1/login-request?${new URLSearchParams(names).toString()}`
  const logged = checked(await post(`${to.url}${path}`, { data }))
  const headers = { authorization: `Snowflake Token="${String(logged['token'])}"` }

  const send = async (requestId: string, body: object) => {
    const url = `${to.url}/queries/v1/query-request?requestId=${requestId}`
    let answer = await post(url, body, headers)
    while (answer.code === '333333') {
      const response = await fetch(`${to.url}${String(answer.data?.['getResultUrl'])}`, { headers })
      answer = (await response.json()) as Answer
    }
    return checked(answer)
  }
  const query: SnowflakeClient['query'] = async (sqlText, ...binds) =>
    answerOf(await send(randomUUID(), { sqlText, bindings: bindingsOf(binds) }))
  return {
    query,
    rows: async (text, ...binds) => (await query(text, ...binds)).rows,
    send: async (requestId, sqlText) => answerOf(await send(requestId, { sqlText })),
    put: async (stage, name, bytes) => {
      const upload = await send(randomUUID(), { sqlText: `PUT file://${name} ${stage} AUTO_COMPRESS=FALSE` })
      const { endPoint, location, creds } = upload['stageInfo'] as StageInfo
      const authorization = `Bearer ${creds.GCS_ACCESS_TOKEN}`
      const url = `${endPoint}/${location}${name}`
      const response = await fetch(url, { method: 'PUT', body: bytes, headers: { authorization } })
      if (!response.ok) throw new Error(`the upload of ${name} was answered ${response.status}`)
    },
    close: async () => {
      checked(await post(`${to.url}/session?delete=true`, {}, headers))
    }
  }
}

async function post(url: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body), headers })
  if (!response.ok) throw new Error(`the stand-in answered ${response.status}`)
  return (await response.json()) as Answer
}

function checked({ success, code, message, data }: Answer): Readonly<Record<string, unknown>> {
  if (success) return data ?? {}
  const state = data?.['sqlState']
  throw new SnowflakeRefusal(code ?? '', typeof state === 'string' ? state : undefined, message ?? '')
}

function answerOf(data: Readonly<Record<string, unknown>>): QueryAnswer {
  const columns = (data['rowtype'] ?? []) as { name: string; type: string }[]
  const rowset = (data['rowset'] ?? []) as (string | null)[][]
  const rows = rowset.map(row => Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? null])))
  return { columns, rows, queryId: String(data['queryId']) }
}

function bindingsOf(binds: readonly (string | number | boolean | null)[]): object {
  const typed = (value: string | number | boolean | null) => {
    if (typeof value === 'number') return { type: Number.isInteger(value) ? 'FIXED' : 'REAL', value: String(value) }
    if (typeof value === 'boolean') return { type: 'BOOLEAN', value: String(value) }
    return { type: 'TEXT', value }
  }
  return Object.fromEntries(binds.map((value, index) => [String(index + 1), typed(value)]))
}
