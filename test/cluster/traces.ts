import { execFile } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { nodeEnvironment } from '../servers/node/programs.ts'
import { cgroupsOf } from './cgroups.ts'
import type { NodeNetwork } from './network.ts'

/** Everything on this machine that would not be there without the cluster; files aside. */
export async function tracesOf({ link, pods }: NodeNetwork, state: string): Promise<string[]> {
  const ip = async (...args: string[]) => (await promisify(execFile)('ip', ['-o', ...args])).stdout.split('\n')
  const found = {
    process: processes()
      .filter(({ command }) => command.includes(state))
      .map(({ pid, command }) => `${pid} ${command}`),
    mount: readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .filter(line => line.includes(state)),
    cgroup: cgroupsOf(basename(state)),
    link: (await ip('link')).filter(line => line.includes(` ${link}@`)),
    route: (await ip('route')).filter(line => line.startsWith(pods))
  }
  return Object.entries(found).flatMap(([what, each]) => each.map(text => `${what} ${text}`))
}

/** Those that live: one that has ended stays in the list until its parent looks. */
function processes(): { pid: string; command: string }[] {
  const list = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return list.flatMap(pid => {
    try {
      return [{ pid, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') }]
    } catch {
      return []
    }
  })
}

/** Settings of the kernel for the whole machine that a kubelet or a kube-proxy would like to be otherwise. */
export const settings = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    ['vm/overcommit_memory', 'vm/panic_on_oom', 'kernel/panic', 'kernel/panic_on_oops', 'net/ipv4/ip_forward'].map(
      name => [name, readFileSync(`/proc/sys/${name}`, 'utf8').trim()]
    )
  )

/** Rules of this machine's own packet filter, where it has one. */
export async function packetRules(): Promise<string> {
  const env = { ...process.env, ...nodeEnvironment() }
  return (await promisify(execFile)('iptables-save', [], { env })).stdout.replaceAll(/^#.*$|\[\d+:\d+\]/gm, '')
}
