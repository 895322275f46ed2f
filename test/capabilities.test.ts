/** Each claim of docs/capabilities.md links tests by their names: they exist, and CI runs them. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { suites } from './run/suites.ts'

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

interface Proof {
  readonly name: string
  readonly file: string
}
interface Claim {
  readonly level: string
  readonly text: string
  readonly proofs: readonly Proof[]
}

/** A link whose text is a test's name, brackets included. */
const LINK = /\[((?:[^[\]]|\[[^[\]]*\])+)\]\(\.\.\/(test\/[\w./-]+\.test\.ts)\)/g

const claims = claimsOf(read('docs/capabilities.md'))
const proofs = claims.flatMap(claim => claim.proofs)

test('each of the five levels has claims, and each claim is shown by a test', () => {
  const levels = Map.groupBy(claims, ({ level }) => level)
  assert.deepEqual([...levels.keys()], ['1', '2', '3', '4', '5'])
  for (const [level, all] of levels) assert.ok(all.length >= 8, `level ${level}: ${all.length}`)
  assert.deepEqual(
    claims.filter(claim => claim.proofs.length === 0).map(({ text }) => text),
    []
  )
})

test('the tests that are linked exist, under these names', () => {
  const named = new Map([...new Set(proofs.map(({ file }) => file))].map(file => [file, namesIn(file)]))
  const missing = proofs.filter(({ name, file }) => !named.get(file)?.some(isName => isName(name)))
  assert.deepEqual(missing, [])
})

test('CI runs all of them', () => {
  // With CI=true what is left out fails the run (test/run.ts), so that a file which is run has shown all its names.
  assert.match(read('.ci/run'), /^CI=true step npm test$/m)
  const run = new Set(suites(root, []).flatMap(({ files }) => files))
  assert.deepEqual(
    proofs.filter(({ file }) => !run.has(file)),
    []
  )
})

test('the chart claims the level that the page does', () => {
  const [, level] = /operatorCapabilities: (.+)/.exec(read('helm/bronze-operator/Chart.yaml')) ?? []
  assert.ok(read('docs/capabilities.md').includes(`level 4 (\`${level}\`)`), level)
})

/** Rows of the tables: a claim, and the tests that show it. Headings begin with their level. */
function claimsOf(page: string): readonly Claim[] {
  return page.split(/^## (?=Level )/m).flatMap(part => {
    const level = /^Level (\d)/.exec(part)?.[1]
    if (level === undefined) return []
    return [...part.matchAll(/^\| (?!claim |---)(.*?) \| (.*) \|$/gm)].map(([, text = '', shown = '']) => ({
      level,
      text,
      proofs: [...shown.matchAll(LINK)].map(([, name = '', file = '']) => ({ name, file }))
    }))
  })
}

/** Tell the names that a file gives to its tests. What it fills in must be of texts that stand in it or in files beside it. */
function namesIn(file: string): readonly ((name: string) => boolean)[] {
  const folder = dirname(file)
  const beside = readdirSync(join(root, folder)).filter(path => path.endsWith('.ts'))
  const texts = beside.map(path => read(join(folder, path))).join('\n')
  const isThere = (filled: string) => filled.split(/["[\]{}:,]+/).every(piece => texts.includes(piece))
  const calls = read(file).matchAll(/\b(?:test|suite|describe|step)\(\s*(?:'((?:\\.|[^'\\])*)'|"([^"]*)"|`([^`]*)`)/g)
  return [...calls].map(([, single, double, template = '']) => {
    const plain = single?.replaceAll(/\\(.)/g, '$1') ?? double
    if (plain !== undefined) return name => name === plain
    const pattern = new RegExp(
      `^${template
        .split(/\$\{[^}]*\}/)
        .map(escaped)
        .join('(.+)')}$`
    )
    return name => pattern.exec(name)?.slice(1).every(isThere) ?? false
  })
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
