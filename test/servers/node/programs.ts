import { delimiter } from 'node:path'
import { installed } from '../cache.ts'

/** Holds the namespaces of each pod; its archive is `pause.tar`. */
export const PAUSE_IMAGE = 'localhost/pause:1'

/** The environment in which the unpacked programs find each other and their libraries. */
export function nodeEnvironment(): NodeJS.ProcessEnv {
  const at = (...path: string[]) => installed('node', ...path)
  const libraries = at('usr', 'lib', process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu')
  return {
    PATH: [at('usr', 'sbin'), at('usr', 'bin'), process.env['PATH']].join(delimiter),
    LD_LIBRARY_PATH: libraries,
    XTABLES_LIBDIR: `${libraries}/xtables`
  }
}

/** Folder of the plugins that connect pods. */
export const networkPlugins = (): string => installed('node', 'usr', 'lib', 'cni')
