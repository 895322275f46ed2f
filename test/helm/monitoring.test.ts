import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const root = fileURLToPath(new URL('../../', import.meta.url))
const chart = `${root}helm/bronze-operator/`

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string }
}
interface Dashboard {
  readonly panels: readonly {
    readonly id: number
    readonly type: string
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
    readonly targets?: readonly { readonly expr: string }[]
  }[]
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] }
}

const { groups } = parse(readFileSync(`${chart}files/alerts.yaml`, 'utf8')) as {
  groups: readonly { readonly rules: readonly Alert[] }[]
}
const alerts = groups.flatMap(({ rules }) => rules)
const dashboard = JSON.parse(readFileSync(`${chart}files/dashboard.json`, 'utf8')) as Dashboard
const queries = [
  ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...dashboard.templating.list.map(({ query }) => (typeof query === 'string' ? query : query.query))
]

/** Names that the program registers, with those that Prometheus makes of histograms. */
function registered(): ReadonlySet<string> {
  const names = ['consumer', 'operator'].flatMap(folder =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter(path => path.endsWith('.ts'))
      .flatMap(path => [...readFileSync(`${root}${folder}/${path}`, 'utf8').matchAll(/'(bronze_[a-z_]+)'/g)])
      .map(([, name = '']) => name)
  )
  return new Set(names.flatMap(name => [name, `${name}_bucket`, `${name}_count`, `${name}_sum`]))
}

test('alerts and dashboard ask for metrics that there are', () => {
  const known = registered()
  const asked = [...alerts.map(({ expr }) => expr), ...queries].flatMap(text => text.match(/\bbronze_[a-z_]+/g) ?? [])
  assert.ok(new Set(asked).size > 15)
  assert.deepEqual(
    asked.filter(name => !known.has(name)),
    []
  )
})

test('each alert has its own name, a severity, words for people, and a heading in docs/operations.md', () => {
  const headings = readFileSync(`${root}docs/operations.md`, 'utf8').match(/(?<=^### )\w+$/gm) ?? []
  assert.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length)
  assert.deepEqual(
    headings.filter(heading => heading.startsWith('Bronze')).toSorted(),
    alerts.map(({ alert }) => alert).toSorted()
  )
  for (const { alert, labels, annotations } of alerts) {
    assert.match(labels.severity, /^(?:critical|warning|info)$/, alert)
    assert.ok(annotations.summary !== '' && annotations.description !== '', alert)
    assert.equal(annotations.runbook_url, `docs/operations.md#${alert.toLowerCase()}`)
  }
})

test('panels of the dashboard do not overlap, and every one has an id of its own', () => {
  const { panels } = dashboard
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  for (const [index, { gridPos: a }] of panels.entries())
    for (const { gridPos: b } of panels.slice(index + 1)) {
      const isApart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y
      assert.ok(isApart && a.x + a.w <= 24, JSON.stringify([a, b]))
    }
})
