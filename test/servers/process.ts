import { spawn, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** A server run for tests. It never outlives the process that started it. */
export interface ServerProcess {
  readonly pid: number
  readonly isRunning: () => boolean
  /** How it has ended: an exit code, a signal, or neither when it could not be started. */
  readonly ended: Promise<Ending>
  /** Asks it to end, and makes it after a while. */
  readonly stop: (patienceMs?: number) => Promise<void>
  /** SIGKILL: no clean-up of any kind. */
  readonly kill: () => Promise<void>
  /** The end of what it has logged. */
  readonly tail: () => Promise<string>
}

export interface Ending {
  readonly code: number | undefined
  readonly signal: NodeJS.Signals | undefined
}

export interface ServerOptions {
  readonly log: string
  readonly env?: NodeJS.ProcessEnv
  /** Removed when the process that started the server dies without stopping it. */
  readonly state?: string
  /** What a shell does before that, when there is more to clear away. */
  readonly sweep?: string
}

const STOP_PATIENCE_MS = 10_000

/** Starts a program in the background, its output in a file. */
export function startProcess(program: string, args: readonly string[], options: ServerOptions): ServerProcess {
  const log = openSync(options.log, 'a')
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...options.env }
  })
  closeSync(log)
  let failure: Error | undefined
  const ended = Promise.withResolvers<Ending>()
  child.on('error', error => {
    failure = error
    if (child.pid === undefined) ended.resolve({ code: undefined, signal: undefined })
  })
  const guard = child.pid === undefined ? undefined : guardOf(child.pid, options)
  child.once('exit', (code, signal) => {
    guard?.kill('SIGKILL')
    guard?.stdin?.destroy()
    ended.resolve({ code: code ?? undefined, signal: signal ?? undefined })
  })
  child.unref()
  const isRunning = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null
  const end = async (signal: NodeJS.Signals, patienceMs = STOP_PATIENCE_MS) => {
    if (!isRunning()) return
    child.ref()
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), patienceMs)
    await ended.promise
    clearTimeout(late)
  }
  return {
    pid: child.pid ?? 0,
    isRunning,
    ended: ended.promise,
    stop: patienceMs => end('SIGTERM', patienceMs),
    kill: () => end('SIGKILL'),
    tail: async () => {
      const lines = (await readFile(options.log, 'utf8')).split('\n').slice(-15)
      return failure?.message ?? lines.join('\n')
    }
  }
}

/**
 * A shell that holds a pipe from this process. The pipe closes when this process ends, whatever ends it, SIGKILL included;
 * then the shell kills the server and removes its state. It ignores the signals a terminal sends to all.
 */
function guardOf(pid: number, { state = '', sweep = '' }: ServerOptions): ChildProcess {
  const script = `trap '' INT TERM HUP; cat >/dev/null; kill -9 "$1"; eval "$3"; [ -z "$2" ] || rm -rf "$2"`
  const guard = spawn('/bin/sh', ['-c', script, 'guard', String(pid), state, sweep], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore']
  })
  guard.unref()
  // A pipe is a socket in Node, and a socket would keep this process alive.
  const pipe = guard.stdin as (typeof guard.stdin & { unref?: () => void }) | null
  pipe?.unref?.()
  return guard
}

/** Waits until `check` resolves with true; throws with the server's last words when it has ended, or after `timeoutMs`. */
export async function untilReady(
  name: string,
  server: ServerProcess,
  check: () => Promise<boolean>,
  timeoutMs = 300_000
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await check().catch(() => false))) {
    const ended = !server.isRunning()
    if (ended || performance.now() > deadline) {
      const reason = ended ? 'ended' : `was not ready after ${timeoutMs / 1000} s`
      const words = await server.tail()
      await server.kill()
      throw new Error(`${name} ${reason}:\n${words}`)
    }
    await wait(50)
  }
}

/** Whether something accepts connections at `port`, on loopback or another address of this machine. */
export async function accepts(port: number, host = '127.0.0.1'): Promise<boolean> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/**
 * Ports on loopback that nothing listens on. They lie below the range from which systems take the ports of outgoing
 * connections, so that a server that is stopped for a while finds its own free again.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = randomInt(10_240, 32_000)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}

/** A new folder for a server's state, and its removal. */
export async function stateFolder(name: string): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `bronze-${name}-`))
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) }
}
