import { StatementError } from '../../consumer/sinks/snowflake/session/errors.ts'
import type {
  Row,
  SnowflakeSession,
  StageFile,
  Statement,
  StatementResult
} from '../../consumer/sinks/snowflake/session/session.ts'
import { RetryableError } from '../../lib/errors.ts'

interface Key {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly epoch: number
  readonly expected?: number
  readonly next: number
}

interface Held {
  readonly key: Key
  readonly next: number
  readonly commitId: string
}

interface Transaction {
  readonly id: string
  readonly effects: (() => void)[]
}

/**
 * As much of one account as a commit with bound rows needs: transactions whose effects come with COMMIT, and the lock of a ledger. It
 * knows statements by how they begin, and counts what they bind.
 */
export class FakeAccount {
  readonly rows: unknown[] = []
  readonly commits: { readonly commitId: string }[] = []
  readonly ledger = new Map<string, Held>()
  /** Statements as they were run, by their first words; of all sessions. */
  readonly ran: string[] = []
  readonly open = new Set<Transaction>()
  #lockedBy: Transaction | undefined
  #lastId = 0

  session(): SnowflakeSession {
    return new FakeSnowflakeSession(this)
  }

  begin(): Transaction {
    const transaction = { id: String(++this.#lastId), effects: [] }
    this.open.add(transaction)
    return transaction
  }

  end(transaction: Transaction | undefined, isCommitted: boolean): void {
    if (transaction === undefined || !this.open.delete(transaction)) return
    if (isCommitted) for (const effect of transaction.effects) effect()
    if (this.#lockedBy === transaction) this.#lockedBy = undefined
  }

  abort(id: string): void {
    this.end(
      [...this.open].find(each => each.id === id),
      false
    )
  }

  lock(transaction: Transaction): void {
    if (this.#lockedBy !== undefined && this.#lockedBy !== transaction)
      throw new StatementError('Locked', 'LockTimeout', 'another transaction has locked the table')
    this.#lockedBy = transaction
  }
}

class FakeSnowflakeSession implements SnowflakeSession {
  readonly #account: FakeAccount
  #transaction: Transaction | undefined
  #isClosed = false

  constructor(account: FakeAccount) {
    this.#account = account
  }

  async run({ text, binds = [] }: Statement): Promise<StatementResult> {
    if (this.#isClosed) throw new RetryableError('SnowflakeSessionGone', 'the session is closed')
    this.#account.ran.push(text.split(/[\s(]/).slice(0, 3).join(' '))
    // A session that does not commit by itself has a transaction as soon as something is changed.
    if (this.#transaction !== undefined && !this.#account.open.has(this.#transaction)) this.#transaction = undefined
    const answer = this.#answer(text, binds.map(String))
    return { rows: [], affected: undefined, ...answer }
  }

  async put(_stage: string, _file: StageFile): Promise<void> {
    throw new Error('this account has no stages')
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#account.end(this.#transaction, false)
  }

  #answer(text: string, binds: readonly string[]): Partial<StatementResult> {
    if (text.startsWith('BEGIN')) return this.#begin()
    if (text === 'COMMIT' || text === 'ROLLBACK') {
      this.#account.end(this.#transaction, text === 'COMMIT')
      this.#transaction = undefined
      return {}
    }
    if (text.startsWith('SELECT CURRENT_TRANSACTION')) return { rows: [{ ID: this.#transaction?.id ?? null }] }
    const [, aborted] = /SYSTEM\$ABORT_TRANSACTION\((\d+)\)/.exec(text) ?? []
    if (aborted !== undefined) this.#account.abort(aborted)
    if (text.startsWith('ALTER SESSION') || text.startsWith('SHOW') || aborted !== undefined) return {}
    if (text.includes('_BRONZE_OFFSETS"')) return this.#onLedger(text, binds)
    if (text.includes('_BRONZE_COMMITS"')) return this.#onCommits(text, binds)
    if (!text.startsWith('INSERT INTO')) throw new Error(`this account does not know ${text}`)
    return this.#insert(this.#account.rows, binds[0])
  }

  #begin(): Partial<StatementResult> {
    this.#transaction ??= this.#account.begin()
    return {}
  }

  #onCommits(text: string, binds: readonly string[]): Partial<StatementResult> {
    if (text.startsWith('INSERT')) return this.#insert(this.#account.commits, binds.at(-1))
    const ids = new Set(JSON.parse(binds[1] ?? '') as string[])
    const found = this.#account.commits.filter(({ commitId }) => ids.has(commitId))
    return { rows: found.map(({ commitId }) => ({ COMMIT_ID: commitId })) }
  }

  #onLedger(text: string, binds: readonly string[]): Partial<StatementResult> {
    const { ledger } = this.#account
    if (text.startsWith('SELECT')) {
      const asked = JSON.parse(binds[0] ?? '') as readonly (Key | string)[]
      const isAsked = ({ key }: Held) =>
        asked.some(each => (typeof each === 'string' ? each === key.topic : keyOf(each) === keyOf(key)))
      return { rows: [...ledger.values()].filter(isAsked).map(heldRow) }
    }
    this.#begin()
    const transaction = this.#transaction
    if (transaction === undefined) throw new Error('a transaction was begun')
    this.#account.lock(transaction)
    if (text.startsWith('UPDATE')) return { affected: 1 }
    const [keys = '', commitId = ''] = binds
    const moved = (JSON.parse(keys) as Key[]).filter(key => ledger.get(keyOf(key))?.next === key.expected)
    transaction.effects.push(() => {
      for (const key of moved) ledger.set(keyOf(key), { key, next: key.next, commitId })
    })
    return { affected: moved.length }
  }

  #insert(table: unknown[], json = ''): Partial<StatementResult> {
    const rows = JSON.parse(json) as unknown[]
    this.#begin()
    this.#transaction?.effects.push(() => table.push(...rows))
    return { affected: rows.length }
  }
}

const keyOf = ({ topic, topicId, partition, epoch }: Key) => [topic, topicId, partition, epoch].join(':')

const heldRow = ({ key, next, commitId }: Held): Row => ({
  TOPIC: key.topic,
  TOPIC_ID: key.topicId,
  PARTITION_ID: String(key.partition),
  EPOCH: String(key.epoch),
  NEXT_OFFSET: String(next),
  COMMIT_ID: commitId,
  COMMITTED_MS: '0',
  PIPELINE: 'test/other',
  PIPELINE_CREATED_AT: null,
  CONSUMER_ID: 'other'
})
