import type { KubeObject } from '../../operator/kube/kube.ts'

/** Who keeps an object as a manifest elsewhere says, and may undo what is changed here. */
export interface Manager {
  readonly name: string
  /** Whether it is known to have set the field itself: then it will undo the change. */
  readonly ownsField: boolean
}

interface Managed extends KubeObject {
  readonly metadata: KubeObject['metadata'] & {
    readonly managedFields?: readonly { readonly manager?: string; readonly fieldsV1?: unknown }[]
  }
}

/** How tools that hold a cluster to manifests mark what is theirs: by a label or annotation, or as a field manager. */
const MARKS: readonly (readonly [name: string, mark: RegExp, manager: RegExp])[] = [
  ['Argo CD', /^argocd\.argoproj\.io\//, /^argocd/],
  ['Flux', /^(?:kustomize|helm)\.toolkit\.fluxcd\.io\//, /^(?:kustomize|helm)-controller$/],
  ['Fleet', /^(?:fleet\.cattle\.io|objectset\.rio\.cattle\.io)\//, /^fleet/],
  ['Helm', /^meta\.helm\.sh\/release-name$/, /^helm$/],
  ['Config Sync', /^configsync\.gke\.io\//, /^configsync/],
  ['Terraform', /^$/, /^[Tt]erraform/],
  ['Pulumi', /^pulumi\.com\//, /^pulumi/]
]

/** The tools that manage the object, and whether they have set `path` (names of fields from the root). */
export function managersOf({ metadata }: Managed, path: readonly string[]): readonly Manager[] {
  const { labels = {}, annotations = {}, managedFields = [] } = metadata
  const marks = [...Object.keys(labels), ...Object.keys(annotations)]
  return MARKS.flatMap(([name, mark, manager]) => {
    const entries = managedFields.filter(entry => manager.test(entry.manager ?? ''))
    if (entries.length === 0 && !marks.some(key => mark.test(key))) return []
    return [{ name, ownsField: entries.some(({ fieldsV1 }) => owns(fieldsV1, path)) }]
  })
}

/** What to tell somebody who changes `field` by hand. */
export function managedText(managers: readonly Manager[], field: string): string | undefined {
  if (managers.length === 0) return undefined
  const names = managers.map(({ name }) => name).join(' and ')
  return managers.some(({ ownsField }) => ownsField)
    ? `${names} keeps this pipeline, with ${field} in its manifest: it will set it back. Change it there too.`
    : `${names} keeps this pipeline: ${field} stays as set here only as long as its manifest does not have that field.`
}

/** In `fieldsV1` the field x is called `f:x`; an object that has no entry for the rest is owned as a whole or not at all. */
function owns(fields: unknown, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return true
  const inner = (fields as Readonly<Record<string, unknown>> | undefined)?.[`f:${first}`]
  return inner !== undefined && owns(inner, rest)
}
