import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { isInstalled, serverFolder, type ServerName } from './cache.ts'

/**
 * What a test can ask for: an installed server; Helm, which the installation of Kubernetes has on Linux on x64 only; Debian's
 * tools and the rights of root.
 */
export type Need = ServerName | 'helm' | 'debian'

/** Options for node:test: a test that needs servers which are not installed is skipped, with the remedy as the reason. */
export function need(...names: Need[]): { skip?: string } {
  if (names.includes('node') && process.getuid?.() !== 0) return { skip: 'a node needs root, on Linux' }
  if (names.includes('debian') && !isDebianRoot()) return { skip: 'an image is unpacked and run by root, on Debian' }
  const servers = names.filter(name => name !== 'debian')
  const absent = servers.filter(name => !has(name))
  if (absent.length === 0) return {}
  const installable = absent.filter(name => name !== 'helm' || !isInstalled('kube'))
  const wanted = [...new Set(installable.map(name => (name === 'helm' ? 'kube' : name)))]
  const remedy = wanted.length === 0 ? 'there is none for this platform' : `npm run servers ${wanted.join(' ')}`
  return { skip: `needs ${absent.join(', ')}: ${remedy}` }
}

const has = (name: ServerName | 'helm') =>
  name === 'helm' ? existsSync(`${serverFolder('kube')}/helm`) : isInstalled(name)

function isDebianRoot(): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const tools = ['apt-get', 'dpkg-deb', 'chroot']
  return process.getuid?.() === 0 && tools.every(tool => folders.some(folder => existsSync(join(folder, tool))))
}
