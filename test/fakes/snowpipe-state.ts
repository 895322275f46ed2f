import { gunzipSync, zstdDecompressSync } from 'node:zlib'

/**
 * What Snowpipe Streaming's named channels do, as the public reference tells it (docs.snowflake.com, user-guide/snowpipe-streaming:
 * snowpipe-streaming-channels, snowpipe-streaming-high-performance-rest-api, -error-handling, -limitations):
 * opening bumps the client sequencer, discards what is not committed, and tells the committed token; a continuation token holds
 * both sequencers and is good for one append; rows and their token are committed together, later; a row that the table cannot take
 * is counted, left out, and the token moves past it; tokens are kept, never compared.
 *
 * Where the reference is silent the harsher way is taken:
 * - an append that is sent again with its continuation token is refused, whether or not the first one came through
 * - members of a row go to the columns of exactly their name; others are dropped in silence
 * - a channel knows the columns that the table had when it was opened
 * - a request with one line that is no JSON is refused whole
 * - the list of statuses does not tell when a channel was made, and a pipe without channels is not there
 * - what is appended commits in whole requests, in order, each at its own time
 */
export class SnowpipeState {
  readonly #tables = new Map<string, Table>()
  readonly #channels = new Map<string, Channel>()
  readonly #pipes = new Set<string>()
  #nowMs = 1_700_000_000_000
  #nextNonce = 1
  /** Looks at a channel after which an append is committed; each look at its status counts. */
  commitLag = 0
  /** Why the table cannot take a row. */
  refuses: (row: Row) => string | undefined = () => undefined

  /** The table of that folded name, to be written through `<name>-STREAMING`. */
  table(name: string): Table {
    let table = this.#tables.get(name)
    if (table === undefined) this.#tables.set(name, (table = { columns: new Set(), rows: [] }))
    return table
  }

  open(pipe: string, channel: string): Answer {
    const table = this.#tables.get(pipe.replace(/-STREAMING$/, ''))
    if (table === undefined || !pipe.endsWith('-STREAMING'))
      return error(404, 'ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED')
    if (!/^[A-Za-z0-9_-]{1,128}$/.test(channel)) return error(400, 'ERR_INVALID_CHANNEL_NAME')
    this.#pipes.add(pipe)
    const id = `${pipe}/${channel.toUpperCase()}`
    const known = this.#channels.get(id)
    const next: Channel = known ?? {
      name: channel,
      createdOnMs: this.#nowMs++,
      clientSequencer: 0,
      rowSequencer: 0,
      nonce: 0,
      token: null,
      code: 'SUCCESS',
      pending: [],
      inserted: 0,
      refused: 0,
      refusedUpTo: null,
      refusal: null,
      columns: new Set()
    }
    this.#channels.set(id, next)
    next.clientSequencer++
    next.rowSequencer = 0
    next.nonce = this.#nextNonce++
    next.code = 'SUCCESS'
    // "Any uncommitted data buffered in Snowflake is discarded."
    next.pending = []
    next.columns = new Set(table.columns)
    const status = { ...statusOf(next), created_on_ms: next.createdOnMs, rows_error_count: next.refused }
    return ok({ next_continuation_token: continuationOf(next), channel_status: status })
  }

  append(pipe: string, channel: string, request: Append): Answer {
    const found = this.#channels.get(`${pipe}/${channel.toUpperCase()}`)
    if (found === undefined) return error(404, 'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED')
    if (found.code !== 'SUCCESS') return error(409, found.code)
    const [client, row, nonce] = request.continuation.split('_')
    if (Number(client) !== found.clientSequencer || Number(nonce) !== found.nonce)
      return error(400, 'STALE_CONTINUATION_TOKEN_SEQUENCER')
    if (Number(row) !== found.rowSequencer) return error(400, 'ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER')
    if (request.body.length > 4_000_000) return error(413, 'ERR_PAYLOAD_TOO_LARGE')
    const rows = rowsOf(request)
    if (rows === undefined) return error(400, 'ERR_MALFORMED_ROWS')
    found.rowSequencer++
    found.pending.push({ rows, token: request.token, looks: 0 })
    if (this.commitLag === 0) this.#commit(pipe, found)
    return ok({ next_continuation_token: continuationOf(found) })
  }

  statuses(pipe: string, channels: readonly string[]): Answer {
    if (!this.#pipes.has(pipe)) return error(404, 'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED')
    const found: Record<string, unknown> = {}
    for (const name of channels) {
      const channel = this.#channels.get(`${pipe}/${name.toUpperCase()}`)
      // "The names are case-sensitive."
      if (channel === undefined || channel.name !== name) continue
      for (const append of channel.pending) append.looks++
      while ((channel.pending[0]?.looks ?? 0) >= Math.max(1, this.commitLag)) this.#commitOne(pipe, channel)
      found[name] = { ...statusOf(channel), rows_errors: channel.refused }
    }
    return ok({ channel_statuses: found })
  }

  drop(pipe: string, channel: string): Answer {
    this.#channels.delete(`${pipe}/${channel.toUpperCase()}`)
    return ok({})
  }

  /** Everything that was received is in its table. */
  commitAll(): void {
    for (const [id, channel] of this.#channels) this.#commit(id.slice(0, id.indexOf('/')), channel)
  }

  /** The oldest request of one channel is in its table; `choose` gives one of so many. */
  commitSome(choose: (count: number) => number): void {
    const waiting = [...this.#channels].filter(([, { pending }]) => pending.length > 0)
    const chosen = waiting[choose(waiting.length)]
    if (chosen !== undefined) this.#commitOne(chosen[0].slice(0, chosen[0].indexOf('/')), chosen[1])
  }

  /** As after trouble within the service: nothing is taken through it until it is opened again. */
  invalidate(choose: (count: number) => number): void {
    const all = [...this.#channels.values()]
    const chosen = all[choose(all.length)]
    if (chosen !== undefined) chosen.code = 'ERR_CHANNEL_MUST_BE_REOPENED'
  }

  /** "Inactive channels, along with their offset tokens, are deleted automatically after 30 days." */
  expire(): void {
    this.#channels.clear()
    this.#nowMs += 30 * 86_400_000
  }

  get channels(): readonly string[] {
    return [...this.#channels.keys()]
  }

  #commit(pipe: string, channel: Channel): void {
    while (channel.pending.length > 0) this.#commitOne(pipe, channel)
  }

  #commitOne(pipe: string, channel: Channel): void {
    const append = channel.pending.shift()
    if (append === undefined) return
    const { rows } = this.table(pipe.replace(/-STREAMING$/, ''))
    for (const row of append.rows) {
      const refusal = this.refuses(row)
      if (refusal === undefined) {
        rows.push(Object.fromEntries(Object.entries(row).filter(([name]) => channel.columns.has(name))))
        channel.inserted++
        continue
      }
      channel.refused++
      channel.refusedUpTo = append.token
      channel.refusal = refusal
    }
    channel.token = append.token
  }
}

export type Row = Readonly<Record<string, unknown>>

interface Table {
  readonly columns: Set<string>
  rows: Row[]
}

export interface Append {
  readonly continuation: string
  readonly token: string
  readonly body: Buffer
  readonly encoding: string | undefined
}

/** As the service answers over HTTP. */
export interface Answer {
  readonly status: number
  readonly body: unknown
}

interface Channel {
  readonly name: string
  readonly createdOnMs: number
  clientSequencer: number
  rowSequencer: number
  nonce: number
  token: string | null
  code: string
  pending: { readonly rows: readonly Row[]; readonly token: string; looks: number }[]
  inserted: number
  refused: number
  refusedUpTo: string | null
  refusal: string | null
  columns: ReadonlySet<string>
}

const continuationOf = ({ clientSequencer, rowSequencer, nonce }: Channel): string =>
  `${clientSequencer}_${rowSequencer}_${nonce}`

const statusOf = (channel: Channel) => ({
  channel_status_code: channel.code,
  last_committed_offset_token: channel.token,
  channel_name: channel.name,
  rows_inserted: channel.inserted,
  rows_parsed: channel.inserted + channel.refused,
  last_error_offset_upper_bound: channel.refusedUpTo,
  last_error_message: channel.refusal
})

/** Undefined when a line is no JSON object. */
function rowsOf({ body, encoding }: Append): readonly Row[] | undefined {
  try {
    const text = encoding === 'zstd' ? zstdDecompressSync(body) : encoding === 'gzip' ? gunzipSync(body) : body
    const lines = new TextDecoder('utf-8', { fatal: true }).decode(text).split('\n')
    // "Each JSON text must be followed by a newline character."
    if (lines.pop() !== '' || lines.length === 0) return undefined
    const rows = lines.map(line => JSON.parse(line) as unknown)
    return rows.every(row => typeof row === 'object' && row !== null && !Array.isArray(row))
      ? (rows as Row[])
      : undefined
  } catch {
    return undefined
  }
}

const ok = (body: unknown): Answer => ({ status: 200, body })
const error = (status: number, code: string): Answer => ({ status, body: { code, message: `refused: ${code}` } })
