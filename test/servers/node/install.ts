import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NODE_MODULE } from '../cache.ts'
import { buildKubernetes } from '../go-build.ts'
import { run } from '../run-program.ts'
import { PAUSE_IMAGE } from './programs.ts'

/** What runs containers, and what kube-proxy calls; the libraries are those that a small Debian does not have. */
const PACKAGES = [
  'containerd',
  'runc',
  'containernetworking-plugins',
  'iptables',
  'conntrack',
  'libip4tc2',
  'libip6tc2',
  'libmnl0',
  'libnetfilter-conntrack3',
  'libnfnetlink0',
  'libnftnl11',
  'libseccomp2',
  'libxtables12'
]

/**
 * Debian's packages are unpacked, not installed: nothing of the machine changes, no service of it starts, and the folder is
 * all there is to keep.
 */
export async function installNode(into: string): Promise<void> {
  await unpackPackages(into)
  const commands = ['kubelet', 'kube-scheduler', 'kube-proxy']
  await buildKubernetes({ module: NODE_MODULE, into, commands, others: { pause: './pause' } })
  await writePauseImage(into)
}

async function unpackPackages(into: string): Promise<void> {
  const folder = join(into, 'packages')
  await mkdir(folder)
  // apt drops root's rights for a download, and then has to be let in.
  await chmod(into, 0o755)
  await chmod(folder, 0o777)
  const download = () => run('apt-get', ['download', '--quiet', ...PACKAGES], {}, folder)
  await download().catch(async () => {
    await run('apt-get', ['update', '--quiet'])
    await download()
  })
  for (const file of await readdir(folder)) await run('dpkg-deb', ['-x', join(folder, file), into])
  await rm(folder, { recursive: true })
  // Which of its two backends `iptables` means is chosen when the package is installed.
  for (const name of ['iptables', 'ip6tables']) {
    for (const suffix of ['', '-save', '-restore'])
      await symlink('xtables-nft-multi', join(into, 'usr', 'sbin', `${name}${suffix}`))
  }
}

/** An archive that `ctr images import` takes, in Docker's format: one layer with one program. */
async function writePauseImage(into: string): Promise<void> {
  const folder = join(into, 'image')
  const program = join(folder, 'layer')
  await mkdir(program, { recursive: true })
  await rename(join(into, 'pause'), join(program, 'pause'))
  const archive = (file: string, from: string, names: readonly string[]) =>
    run('tar', ['--owner=0', '--group=0', '--mtime=@0', '-cf', file, '-C', from, ...names])
  const layer = join(folder, 'layer.tar')
  await archive(layer, program, ['pause'])
  const digest = createHash('sha256')
    .update(await readFile(layer))
    .digest('hex')
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] }
  }
  const manifest = [{ Config: 'config.json', RepoTags: [PAUSE_IMAGE], Layers: ['layer.tar'] }]
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest))
  await archive(join(into, 'pause.tar'), folder, ['manifest.json', 'config.json', 'layer.tar'])
  await rm(folder, { recursive: true })
}
