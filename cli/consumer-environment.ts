import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CONSUMER_ENVIRONMENT, consumerNodeOptions } from '../lib/consumer-environment.ts'

/**
 * The environment of a consumer that is started on this machine: as in a pod, and with its compiled code kept from start to
 * start, which saves a second one half a second of CPU time and some 20 MiB.
 */
export const consumerEnvironment = (own: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...own,
  ...CONSUMER_ENVIRONMENT,
  NODE_OPTIONS: consumerNodeOptions(own['NODE_OPTIONS']),
  NODE_COMPILE_CACHE: own['NODE_COMPILE_CACHE'] ?? join(tmpdir(), 'node-compile-cache')
})
