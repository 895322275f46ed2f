/**
 * `npm run generate:deploy`: writes what is made from the chart: the dashboard and the alerts for those who do not use it, the table
 * of values in docs/install.md, and the manifests of deploy/kustomize, which Helm renders (`HELM` names the program).
 */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { dashboard } from './dashboard.ts'
import { EVERYWHERE, kustomizeBase, NAMESPACED } from './kustomize.ts'
import { valuesTable, type ValueSchema } from './values-table.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

const CHART = 'helm/bronze-operator'
const INSTALL = 'docs/install.md'
const TABLE = /(?<=<!-- values -->\n)[^]*?(?=<!-- \/values -->)/

/** Every file that is made without Helm, by path from the repository's root. */
export function generated(): ReadonlyMap<string, string> {
  const board = `${JSON.stringify(dashboard(), undefined, 1)}\n`
  const schema = JSON.parse(read(`${CHART}/values.schema.json`)) as ValueSchema
  const table = valuesTable(schema, parse(read(`${CHART}/values.yaml`)))
  return new Map([
    [`${CHART}/files/dashboard.json`, board],
    ['deploy/dashboards/bronze.json', board],
    ['deploy/alerts/bronze.rules.yaml', read(`${CHART}/files/alerts.yaml`)],
    ['deploy/argo-cd/argocd-cm.yaml', argoPatch(read('deploy/argo-cd/health.lua'))],
    [INSTALL, read(INSTALL).replace(TABLE, () => `${table}\n`)]
  ])
}

/** A patch of Argo CD's configuration. */
function argoPatch(script: string): string {
  const key = 'resource.customizations.health.bronze.dev_BronzePipeline'
  const header = '# Made from health.lua by `npm run generate:deploy`.\n'
  return `${header}data:\n  ${key}: |\n${script.replaceAll(/^(?=.)/gm, '    ')}`
}

/** The manifests of deploy/kustomize; `helm` gives what the program prints. */
export async function generatedByHelm(
  helm: (args: readonly string[]) => Promise<string>
): Promise<ReadonlyMap<string, string>> {
  const chart = fileURLToPath(new URL(CHART, root))
  const [everywhere, namespaced] = await Promise.all([helm([...EVERYWHERE, chart]), helm([...NAMESPACED, chart])])
  return kustomizeBase(everywhere, namespaced)
}

async function helm(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.env['HELM'] ?? 'helm', [...args], { maxBuffer: 2 ** 24 })
  return stdout
}

// Also true when the launcher imports it, which makes it no main module.
if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const [path, text] of [...generated(), ...(await generatedByHelm(helm))]) {
    writeFileSync(new URL(path, root), text)
    console.log(`wrote ${path}`)
  }
}
