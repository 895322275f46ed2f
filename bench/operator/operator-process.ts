import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Asked, Orders } from './process.ts'

/** The operator that is measured. */
export interface OperatorProcess {
  readonly asked: () => Promise<Asked>
  /** MiB that it holds now, and has held at most. */
  readonly memory: () => Promise<{ readonly rssMiB: number; readonly peakMiB: number }>
  /** Seconds of CPU so far. */
  readonly cpuSeconds: () => Promise<number>
  readonly stop: () => Promise<void>
}

const PROGRAM = fileURLToPath(new URL('./process.ts', import.meta.url))
/** What the chart gives it: half of the limit of 384 MiB is for the heap. */
const OLD_SPACE_MIB = 320
const TICKS_PER_SECOND = 100

export function startOperator(orders: Orders): OperatorProcess {
  const child = fork(PROGRAM, [JSON.stringify(orders)], { execArgv: [`--max-old-space-size=${OLD_SPACE_MIB}`] })
  const gone = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the operator ended: ${code ?? signal}`)
  })
  gone.catch(() => {})
  return {
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
      if (child.exitCode !== null) return
      child.disconnect()
      await once(child, 'exit')
    }
  }
}
