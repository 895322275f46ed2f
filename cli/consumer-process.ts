import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { consumerEnvironment } from './consumer-environment.ts'
import type { ConsumerEnd, ConsumerProcess } from './supervisor.ts'

export interface ConsumerCommand {
  readonly file: string
  readonly args: readonly string[]
  /** Everything that the process prints is appended here. */
  readonly logFile: string
  /** Where it says why it ended, as JSON `{reason, message}`. */
  readonly terminationLog: string
}

const LAST_BYTES = 4096
const LAST_LINES = 8

/**
 * Starts a consumer in a process group of its own: a Ctrl-C in the terminal is for the run, which then asks its consumers
 * to stop. The consumer watches its standard input and stops when that closes, so it cannot outlive the run.
 */
export function startConsumer({ file, args, logFile, terminationLog }: ConsumerCommand): ConsumerProcess {
  rmSync(terminationLog, { force: true })
  const log = openSync(logFile, 'a', 0o600)
  const child = spawn(file, args, {
    stdio: ['pipe', log, log],
    env: consumerEnvironment(process.env),
    detached: process.platform !== 'win32',
    windowsHide: true
  })
  closeSync(log)
  // Writing to a process that has gone is no trouble of ours.
  child.stdin?.on('error', () => {})
  const ended = new Promise<{ code: number | null; signal: string | null; failure?: Error }>(resolve => {
    child.on('error', failure => resolve({ code: null, signal: null, failure }))
    child.on('exit', (code, signal) => resolve({ code, signal }))
  })
  return {
    pid: child.pid,
    ended: ended.then(async ({ code, signal, failure }) => ({
      code,
      signal,
      ...readTermination(terminationLog, failure),
      lastLines: await lastLinesOf(logFile)
    })),
    stop: () => {
      // Windows has no SIGTERM that a process could answer; the closed standard input asks there, and holds nothing open here.
      if (process.platform !== 'win32') child.kill('SIGTERM')
      child.stdin?.end()
    },
    kill: () => child.kill('SIGKILL')
  }
}

function readTermination(path: string, failure: Error | undefined): Pick<ConsumerEnd, 'reason' | 'message'> {
  if (failure !== undefined) return { reason: 'NotStarted', message: failure.message }
  try {
    const { reason, message } = JSON.parse(readFileSync(path, 'utf8')) as { reason?: unknown; message?: unknown }
    return { reason: String(reason), message: String(message) }
  } catch {
    // Written in its last moments or not at all.
    return { reason: undefined, message: undefined }
  }
}

async function lastLinesOf(path: string): Promise<string[]> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return []
  try {
    const { size } = await file.stat()
    const start = Math.max(0, size - LAST_BYTES)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LAST_BYTES), 0, LAST_BYTES, start)
    const lines = buffer
      .toString('utf8', 0, bytesRead)
      .split('\n')
      .filter(line => line.trim() !== '')
    return lines.slice(-LAST_LINES)
  } finally {
    await file.close()
  }
}
