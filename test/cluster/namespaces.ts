import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startProcess, untilReady, type ServerProcess } from '../servers/process.ts'
import { nodeEnvironment } from '../servers/node/programs.ts'

/** Namespaces of mounts, network and processes that a node has for itself. */
export interface Namespaces {
  /** Of the first process in them, as this machine numbers it. With it all others die, and then mounts and network go. */
  readonly pid: number
  /** Starts a program of the node; `log` is a file. */
  readonly start: (program: string, args: readonly string[], log: string) => ServerProcess
  /** The command line that runs a program in them. */
  readonly enter: (program: string, args: readonly string[]) => readonly [string, ...string[]]
  readonly stop: () => Promise<void>
}

/**
 * Settings that kubelet would write for the whole machine. In the node's view of /proc files lie over them that have already
 * what it wants, so it leaves the machine's as they are.
 */
const SETTINGS = {
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000
}

/**
 * The node's first process: it prepares what no other may see half done, says so, and then only waits, which also collects
 * processes whose parents have died.
 */
const FIRST_PROCESS = `
  set -e
  mount --make-rshared /
  for file in $(cd "$1/settings" && find . -type f); do mount --bind "$1/settings/$file" "/proc/sys/$file"; done
  ip link set lo up
  echo 1 > /proc/sys/net/ipv4/ip_forward
  if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables; fi
  echo ready
  while :; do sleep 3600 & wait; done`

/** Makes the namespaces. `state` goes with this process, and before that `sweep` is run. */
export async function makeNamespaces(state: string, sweep: string): Promise<Namespaces> {
  for (const [file, value] of Object.entries(SETTINGS)) {
    const path = join(state, 'settings', file)
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, `${value}\n`)
  }
  const log = join(state, 'namespaces.log')
  const own = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc']
  const holder = startProcess('unshare', [...own, 'sh', '-c', FIRST_PROCESS, 'first', state], { log, state, sweep })
  await untilReady('the namespaces', holder, async () => (await readFile(log, 'utf8')).endsWith('ready\n'))
  const pid = Number(await readFile(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8'))
  const enter = (program: string, args: readonly string[]) =>
    ['nsenter', '--target', String(pid), '--mount', '--net', '--pid', '--', program, ...args] as const
  return {
    pid,
    enter,
    start: (program, args, log) => {
      const [command, ...rest] = enter(program, args)
      return startProcess(command, rest, { log, env: nodeEnvironment() })
    },
    // Nothing in there is worth a farewell.
    stop: () => holder.kill()
  }
}
