import { existsSync } from 'node:fs'
import { isInstalled, serverFolder, type ServerName } from './cache.ts'

/** What a test can ask for: an installed server, or Helm, which the installation of Kubernetes has on Linux on x64 only. */
export type Need = ServerName | 'helm'

/** Options for node:test: a test that needs servers which are not installed is skipped, with the remedy as the reason. */
export function need(...names: Need[]): { skip?: string } {
  if (names.includes('node') && process.getuid?.() !== 0) return { skip: 'a node needs root, on Linux' }
  const absent = names.filter(name => !has(name))
  if (absent.length === 0) return {}
  const installable = absent.filter(name => name !== 'helm' || !isInstalled('kube'))
  const servers = [...new Set(installable.map(name => (name === 'helm' ? 'kube' : name)))]
  const remedy = servers.length === 0 ? 'there is none for this platform' : `npm run servers ${servers.join(' ')}`
  return { skip: `needs ${absent.join(', ')}: ${remedy}` }
}

const has = (name: Need) => (name === 'helm' ? existsSync(`${serverFolder('kube')}/helm`) : isInstalled(name))
