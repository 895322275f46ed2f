import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import { parseQuantity } from '../../lib/quantity.ts'
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
const MANIFESTS = new URL('../../deploy/kustomize/base/operator.yaml', import.meta.url)
const TICKS_PER_SECOND = 100
const END_MS = 60_000

/** `profileFolder`: where it leaves a profile of its CPU time when it ends. */
export function startOperator(orders: Orders, profileFolder?: string): OperatorProcess {
  const profiling = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`]
  const env = { ...process.env, ...environmentOfPods() }
  const child = fork(PROGRAM, [JSON.stringify(orders)], { execArgv: profiling, env })
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

interface Manifest {
  readonly kind: string
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly [Container] } } }
}

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[]
  readonly resources: { readonly limits: { readonly memory: string } }
}

/** What Node and the allocator are told in the chart's pods; shares of their memory limit as figures, since here is none. */
function environmentOfPods(): Readonly<Record<string, string>> {
  const manifests = parseAllDocuments(readFileSync(MANIFESTS, 'utf8')).map(one => one.toJS() as Manifest)
  const operator = manifests.find(({ kind }) => kind === 'Deployment')
  const [{ env, resources }] = operator?.spec.template.spec.containers ?? [{ env: [], resources: undefined }]
  const limitMiB = (parseQuantity(resources?.limits.memory ?? '') ?? Number.NaN) / 2 ** 20
  const told = env.filter(({ name }) => name === 'NODE_OPTIONS' || name.startsWith('MALLOC_'))
  const inMiB = (value: string) =>
    value.replace(/-percentage=(\d+)/, (_, share: string) => `=${Math.floor((Number(share) / 100) * limitMiB)}`)
  return Object.fromEntries(told.map(({ name, value = '' }) => [name, inMiB(value)]))
}
