/** The list of all that is in the image, as CycloneDX 1.6: for scanners, and for who asks what is in there. */
import type { DebianPackage } from './debian.ts'
import type { Architecture } from './debian-lock.ts'
import type { Entry } from './tar.ts'

export interface Contents {
  readonly version: string
  readonly nodeVersion: string
  readonly architecture: Architecture
  readonly debian: readonly Pick<DebianPackage, 'name' | 'version'>[]
  readonly modules: readonly Module[]
}

export interface Module {
  readonly name: string
  readonly version: string
}

export function billOf({ version, nodeVersion, architecture, debian, modules }: Contents): string {
  const components = [
    component('application', 'node', nodeVersion, `pkg:generic/node@${nodeVersion}`),
    ...debian.map(({ name, version }) =>
      component('library', name, version, `pkg:deb/debian/${encodeURIComponent(name)}@${version}?arch=${architecture}`)
    ),
    ...modules.map(({ name, version }) =>
      component('library', name, version, `pkg:npm/${name.replace('@', '%40')}@${version}`)
    )
  ]
  const subject = component('application', 'bronze-operator', version, `pkg:generic/bronze-operator@${version}`)
  const bill = { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, metadata: { component: subject }, components }
  return `${JSON.stringify(bill, undefined, 1)}\n`
}

/** The packages below `node_modules`, each version once. */
export function modulesOf(entries: readonly Entry[]): Module[] {
  const found = new Map<string, Module>()
  for (const { path, bytes } of entries) {
    if (!/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@]+\/package\.json$/.test(path)) continue
    const { name, version } = JSON.parse(bytes.toString()) as Partial<Module>
    if (name !== undefined && version !== undefined) found.set(`${name}@${version}`, { name, version })
  }
  return [...found.values()].sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1))
}

const component = (type: string, name: string, version: string, purl: string) => ({
  type,
  name,
  version,
  purl,
  'bom-ref': purl
})
