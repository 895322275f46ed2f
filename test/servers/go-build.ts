import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { KUBERNETES_VERSION } from './cache.ts'
import { run } from './run-program.ts'

/** What to compile of one Go module. */
export interface GoBuild {
  /** Folder of `go.mod`. */
  readonly module: string
  readonly into: string
  /** Packages of Kubernetes' commands, which are named after their folders. */
  readonly commands: readonly string[]
  /** Other packages, by the file each becomes. */
  readonly others?: Readonly<Record<string, string>>
}

/** Compiles commands of Kubernetes, and what else the module has. */
export async function buildKubernetes({ module, into, commands, others = {} }: GoBuild): Promise<void> {
  // The build runs in a copy: Go may rewrite go.sum, and the repository must stay as it is.
  const copy = join(into, 'module')
  await cp(module, copy, { recursive: true })
  const build = (linker: string, out: string, packages: readonly string[]) =>
    run('go', ['build', '-trimpath', '-ldflags', linker, '-o', out, ...packages], { CGO_ENABLED: '0' }, copy)
  for (const [file, name] of Object.entries(others)) await build('-s -w', join(into, file), [name])
  const packages = commands.map(name => `k8s.io/kubernetes/cmd/${name}`)
  await build(`-s -w ${stamps().join(' ')}`, `${into}/`, packages)
  await rm(copy, { recursive: true })
}

/** Without its version the server calls itself v0.0.0, and clients and admission by version go astray. */
function stamps(): string[] {
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(KUBERNETES_VERSION) ?? []
  const values = {
    gitVersion: KUBERNETES_VERSION,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: 'unknown',
    buildDate: '1970-01-01T00:00:00Z'
  }
  return Object.entries(values).map(([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`)
}
