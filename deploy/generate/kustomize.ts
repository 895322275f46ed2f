import { parseAllDocuments, type Document } from 'yaml'

const FOLDER = 'deploy/kustomize'
const HEADER = '# Made from helm/bronze-operator by `npm run generate:deploy`; change the chart, not this.\n'
/** The one namespace of the example overlay; users put theirs in its place. */
const WATCHED = 'lakehouse'

/** What Helm is asked to render before the chart's path: an operator for all namespaces, and one for a single namespace. */
export const EVERYWHERE = ['template', 'bronze-operator', '--namespace', 'bronze-system', '--skip-tests'] as const
const OWN_DEFINITION = ['--set', 'crds.upgrade=false', '--set', 'rbac.aggregate=false']
export const NAMESPACED = [...EVERYWHERE, '--set', `watchNamespaces={${WATCHED}}`, ...OWN_DEFINITION] as const

/** Labels that say of an object that Helm looks after it. */
export const HELM_LABELS = ['app.kubernetes.io/managed-by', 'helm.sh/chart'] as const

/** The generated files of deploy/kustomize, from what Helm renders for both. */
export function kustomizeBase(everywhere: string, namespaced: string): ReadonlyMap<string, string> {
  const rights = documents(namespaced).filter(document => document.getIn(['metadata', 'namespace']) === WATCHED)
  return new Map([
    [`${FOLDER}/base/operator.yaml`, textOf(documents(everywhere))],
    [`${FOLDER}/namespaced/rights.yaml`, textOf(rights)]
  ])
}

function documents(rendered: string): readonly Document[] {
  const all = parseAllDocuments(rendered).filter(document => document.has('kind'))
  for (const document of all) {
    document.commentBefore = null
    for (const label of HELM_LABELS) {
      document.deleteIn(['metadata', 'labels', label])
      if (document.hasIn(['spec', 'template'])) document.deleteIn(['spec', 'template', 'metadata', 'labels', label])
    }
  }
  return all
}

const textOf = (all: readonly Document[]) =>
  `${HEADER}${all.map(document => document.toString({ lineWidth: 0, indentSeq: false, flowCollectionPadding: false }).replace(/^---\n/, '')).join('---\n')}`
