import { parseArgs } from 'node:util'
import { FatalError } from '../lib/errors.ts'

/** How one consumer process is told what to be. */
export interface ConsumerOptions {
  readonly pipelineFile: string
  /** Names of the entries to run; none: all of them. */
  readonly topics: readonly string[]
  /** Secrets lie at `<folder>/<name>/<key>`, as a pod mounts them. */
  readonly secretsFolder: string
  /** The static member name in the group: the pod's name, or a slot's on a laptop. */
  readonly instanceId: string
  readonly host: string
  readonly port: number
  readonly terminationLog: string | undefined
  readonly memoryBytes: number | undefined
  /** Stop as on SIGTERM when standard input ends: a laptop's consumers never outlive `bronze run`. */
  readonly exitWithParent: boolean
}

/** Reads the command line. In a cluster the server listens on every address, elsewhere on loopback. */
export function parseConsumerOptions(args: readonly string[], isInCluster: boolean): ConsumerOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pipeline: { type: 'string' },
      topic: { type: 'string', multiple: true },
      secrets: { type: 'string', default: '/etc/bronze/secrets' },
      instance: { type: 'string' },
      host: { type: 'string', default: isInCluster ? '::' : '127.0.0.1' },
      port: { type: 'string', default: '8080' },
      'termination-log': { type: 'string' },
      memory: { type: 'string' },
      'exit-with-parent': { type: 'boolean', default: false }
    }
  })
  return {
    pipelineFile: required(values.pipeline, 'pipeline'),
    topics: values.topic ?? [],
    instanceId: required(values.instance, 'instance'),
    secretsFolder: values.secrets,
    host: values.host,
    port: wholeNumber(values.port, 'port'),
    terminationLog: values['termination-log'] ?? (isInCluster ? '/dev/termination-log' : undefined),
    memoryBytes: values.memory === undefined ? undefined : wholeNumber(values.memory, 'memory'),
    exitWithParent: values['exit-with-parent']
  }
}

function required(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw new FatalError('BadCommandLine', `--${name} is missing`)
  return value
}

function wholeNumber(text: string, name: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new FatalError('BadCommandLine', `--${name} must be a whole number, not ${text}`)
  return Number(text)
}
