import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Asked, Orders } from './process.ts'

/** The operator that is measured. */
export interface OperatorProcess {
  /** Rejects when it ends by itself. */
  readonly gone: Promise<never>
  readonly asked: () => Promise<Asked>
  /** MiB that it holds now, and has held at most. */
  readonly memory: () => Promise<{ readonly rssMiB: number; readonly peakMiB: number }>
  /** Seconds of CPU so far. */
  readonly cpuSeconds: () => Promise<number>
  readonly stop: () => Promise<void>
}

const PROGRAM = fileURLToPath(new URL('./process.ts', import.meta.url))
/** What the chart gives it: its variables, and a limit of which V8 takes half for the heap (`values.yaml`). */
const LIMIT_MIB = 384
const NODE_OPTIONS = ['--max-semi-space-size=4', `--max-old-space-size=${LIMIT_MIB / 2}`]
const ENVIRONMENT = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '262144' }
const TICKS_PER_SECOND = 100
const END_MS = 60_000

/** `profileFolder`: where it leaves a profile of its CPU time when it ends. */
export function startOperator(orders: Orders, profileFolder?: string): OperatorProcess {
  const profiling = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`]
  const child = fork(PROGRAM, [JSON.stringify(orders)], {
    execArgv: [...NODE_OPTIONS, ...profiling],
    env: { ...process.env, ...ENVIRONMENT }
  })
  const gone = once(child, 'exit').then(([code, signal]): never => {
    throw new Error(`the operator ended: ${code ?? signal}`)
  })
  gone.catch(() => {})
  return {
    gone,
    asked: async () => {
      child.send('asked')
      const answered = once(child, 'message') as Promise<[Asked]>
      const [answer] = await Promise.race([answered, gone])
      return answer
    },
    memory: async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
      const mib = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024
      return { rssMiB: mib('VmRSS'), peakMiB: mib('VmHWM') }
    },
    cpuSeconds: async () => {
      const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.disconnect()
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS)
      await ended
      clearTimeout(timer)
    }
  }
}
