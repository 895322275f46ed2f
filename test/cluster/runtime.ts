import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installed } from '../servers/cache.ts'
import { PAUSE_IMAGE, networkPlugins, nodeEnvironment } from '../servers/node/programs.ts'
import { untilReady } from '../servers/process.ts'
import type { Namespaces } from './namespaces.ts'
import type { NodeNetwork } from './network.ts'

/** containerd, as kubelet uses it. */
export interface Runtime {
  readonly socket: string
  /** Takes an archive of OCI or of Docker. */
  readonly importImage: (archive: string) => Promise<void>
  /** Gives an image, by its full name, another name. */
  readonly tagImage: (name: string, other: string) => Promise<void>
}

export async function startRuntime(state: string, namespaces: Namespaces, network: NodeNetwork): Promise<Runtime> {
  const socket = join(state, 'containerd.sock')
  const config = join(state, 'containerd.toml')
  await mkdir(join(state, 'network'))
  await writeFile(join(state, 'network', '10-bridge.conflist'), JSON.stringify(bridge(state, network)))
  await writeFile(config, configuration(state, socket))
  const log = join(state, 'containerd.log')
  const server = namespaces.start('containerd', ['--config', config], log)
  const ctr = async (...args: string[]) => {
    const [command, ...rest] = namespaces.enter('ctr', ['--address', socket, '--namespace', 'k8s.io', ...args])
    await promisify(execFile)(command, rest, { env: { ...process.env, ...nodeEnvironment() } })
  }
  await untilReady('containerd', server, () => ctr('version').then(() => true))
  await ctr('images', 'import', installed('node', 'pause.tar'))
  return {
    socket,
    importImage: archive => ctr('images', 'import', archive),
    tagImage: (name, other) => ctr('images', 'tag', name, other)
  }
}

const bridge = (state: string, { pods }: NodeNetwork) => ({
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'pods',
      isGateway: true,
      ipMasq: false,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        dataDir: join(state, 'addresses'),
        ranges: [[{ subnet: pods }]],
        routes: [{ dst: '0.0.0.0/0' }]
      }
    },
    { type: 'portmap', capabilities: { portMappings: true } }
  ]
})

/** Of containerd 1.6, Debian's. */
function configuration(state: string, socket: string): string {
  const unused = ['aufs', 'btrfs', 'zfs', 'devmapper'].map(name => `io.containerd.snapshotter.v1.${name}`)
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = "${state}/containerd"
state = "${state}/containerd-run"
disabled_plugins = ${JSON.stringify([...unused, 'io.containerd.internal.v1.opt', 'io.containerd.tracing.processor.v1.otlp'])}
[grpc]
  address = "${socket}"
[${cri}]
  sandbox_image = "${PAUSE_IMAGE}"
  disable_apparmor = true
  # Where CAP_SYS_RESOURCE is missing nothing may ask to be spared by the kernel, and runc would die without a word.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[${cri}.cni]
  bin_dir = "${networkPlugins()}"
  conf_dir = "${state}/network"
[${cri}.containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
`
}
