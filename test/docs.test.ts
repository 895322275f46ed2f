/**
 * The documents are true. In README.md and docs/:
 * - YAML blocks with a BronzePipeline hold only valid ones;
 * - blocks marked `console run` are run, and their output is compared (`...` stands for anything in
 *   a line, a line of its own for any lines);
 * - in other shell blocks, and in indented ones, `bronze` commands and `npm run` scripts exist, and so do the paths named
 *   there and in the text;
 * - relative links lead somewhere, those to a heading as well.
 * A block's second word names the file that `console run` blocks of the same document find it in.
 */
import assert from 'node:assert/strict'
import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readPipelines } from '../crds/documents.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }

interface Block {
  readonly language: string
  readonly mark: string
  readonly text: string
  /** Where it begins, for messages: `docs/cli.md:12`. */
  readonly place: string
}

function documents(): string[] {
  const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  return ['README.md', ...pages.filter(path => path.endsWith('.md')).map(path => join('docs', path))].filter(path =>
    existsSync(join(root, path))
  )
}

function blocksOf(path: string): Block[] {
  const text = readFileSync(join(root, path), 'utf8')
  return [...text.matchAll(/^( *)```(\w+)(?: +(\S+))?\n(.*?)^\1```$/gms)].map(match => {
    const [, indent = '', language = '', mark = '', body = ''] = match
    const line = text.slice(0, match.index).split('\n').length
    return { language, mark, text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''), place: `${path}:${line}` }
  })
}

for (const path of documents()) {
  const blocks = blocksOf(path)

  test(`${path}: pipelines are valid, commands exist, links lead somewhere`, () => {
    for (const { language, text, place } of blocks) {
      if (language === 'yaml' && /^kind: BronzePipeline\b/m.test(text)) {
        const { pipelines, problems } = readPipelines(text, place)
        assert.deepEqual(problems, [])
        assert.ok(pipelines.length > 0, place)
      }
      if (['sh', 'console'].includes(language)) for (const line of commandsIn(language, text)) checkCommand(line, place)
    }
    for (const line of indentedCommands(path)) checkCommand(line, path)
    checkLinks(path)
    checkPaths(path)
  })

  const examples = blocks.filter(({ language, mark }) => language === 'console' && mark === 'run')
  if (examples.length > 0) {
    test(`${path}: its examples do what it says`, async context => {
      const folder = await mkdtemp(join(tmpdir(), 'bronze-docs-'))
      context.after(() => rm(folder, { recursive: true, force: true }))
      await layOut(folder, blocks)
      for (const { text, place } of examples) runExample(text, place, folder)
    })
  }
}

test('docs/README.md lists every page once', () => {
  const index = readFileSync(join(root, 'docs/README.md'), 'utf8')
  const listed = [...index.matchAll(/\[([\w-]+\.md)\]\(\1\)/g)].map(([, page = '']) => page)
  const pages = readdirSync(join(root, 'docs')).filter(page => page.endsWith('.md') && page !== 'README.md')
  assert.deepEqual(listed.toSorted(), pages)
})

test('decisions are numbered one by one, and begin with what was decided', () => {
  const pages = readdirSync(join(root, 'docs/decisions'))
  assert.deepEqual(
    pages.map(page => Number(page.slice(0, 4))),
    pages.map((_, index) => index + 1)
  )
  for (const page of pages) assert.match(readFileSync(join(root, 'docs/decisions', page), 'utf8'), /^# \D/, page)
})

function commandsIn(language: string, text: string): string[] {
  const lines = text.replaceAll(/\\\n\s*/g, ' ').split('\n')
  if (language === 'console') return lines.filter(line => line.startsWith('$ ')).map(line => line.slice(2))
  return lines.filter(line => line.trim() !== '' && !line.trimStart().startsWith('#'))
}

function indentedCommands(path: string): string[] {
  const lines = readFileSync(join(root, path), 'utf8').matchAll(/^ {4}((?:bronze|npm|kubectl|helm|node) .*)$/gm)
  return [...lines].map(([, command = '']) => command)
}

function checkCommand(line: string, place: string): void {
  const script = /\bnpm run ([\w:-]+)/.exec(line)?.[1]
  if (script !== undefined) assert.ok(script in manifest.scripts, `${place}: there is no script ${script}`)
  const command = /(?:^|&& |\| )(?:kubectl )?bronze (.*)/.exec(line)?.[1]
  if (command !== undefined) {
    const help = helpOf(command.split(' ')[0] ?? '')
    assert.equal(help.status, 0, `${place}: bronze ${command}: ${help.stderr}`)
    for (const [option] of command.matchAll(/(?<= )--[a-z-]+/g)) {
      assert.ok(option === '--help' || help.stdout.includes(option), `${place}: bronze ${command} knows no ${option}`)
    }
  }
  for (const [path] of line.matchAll(/(?<=^|\s)(?:deploy|helm|crds|docs|cli|test|bench)\/[\w./-]+/g)) {
    assert.ok(existsSync(join(root, path)), `${place}: there is no ${path}`)
  }
}

function checkLinks(path: string): void {
  for (const [, target = '', anchor] of prose(path).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
    const page = target === '' ? path : join(dirname(path), target)
    assert.ok(existsSync(join(root, page)), `${path} links to ${target}, which is not there`)
    if (anchor === undefined || !page.endsWith('.md')) continue
    assert.ok(anchorsOf(page).has(anchor), `${path} links to #${anchor}, which is not in ${page}`)
  }
}

/** Files and folders of ours that the text names. */
function checkPaths(path: string): void {
  const text = readFileSync(join(root, path), 'utf8').replaceAll(/^ *```.*?^ *```$/gms, '')
  for (const [, named = ''] of text.matchAll(
    /`((?:bench|cli|consumer|crds|deploy|docs|helm|lib|operator|test)\/[\w./-]+)`/g
  )) {
    assert.ok(existsSync(join(root, named)), `${path} names ${named}, which is not there`)
  }
}

const prose = (path: string) => readFileSync(join(root, path), 'utf8').replaceAll(/^ *```.*?^ *```$|`[^`\n]*`/gms, '')

/** What can be linked to in a page: its headings, as GitHub names them, and anchors that are set. */
function anchorsOf(page: string): ReadonlySet<string> {
  const text = readFileSync(join(root, page), 'utf8').replaceAll(/^ *```.*?^ *```$/gms, '')
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase())
  const slugs = headings.map(heading => heading.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-'))
  return new Set([...slugs, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)])
}

const helps = new Map<string, SpawnSyncReturns<string>>()

function helpOf(command: string): SpawnSyncReturns<string> {
  const found =
    helps.get(command) ??
    spawnSync(process.execPath, [join(root, 'cli/bronze.js'), command, '--help'], { encoding: 'utf8' })
  helps.set(command, found)
  return found
}

/** A folder with `bronze` in `bin`, the repository's examples, and the document's named blocks. */
async function layOut(folder: string, blocks: readonly Block[]): Promise<void> {
  await symlink(join(root, 'deploy'), join(folder, 'deploy'), 'junction')
  const program = `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'cli/bronze.js')}" "$@"\n`
  await writeFile(join(folder, 'bronze'), program)
  await chmod(join(folder, 'bronze'), 0o755)
  for (const { mark, text } of blocks) {
    if (/^[\w-]+\.\w+$/.test(mark)) await writeFile(join(folder, mark), text)
  }
}

function runExample(text: string, place: string, folder: string): void {
  for (const part of text.split(/^(?=\$ )/m)) {
    const [command = '', ...expected] = part.trimEnd().split('\n')
    const env = { PATH: [folder, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter) }
    const result = spawnSync('/bin/sh', ['-c', `exec 2>&1\n${command.slice(2)}`], {
      cwd: folder,
      env,
      encoding: 'utf8'
    })
    assert.match(result.stdout.replace(/\s*$/, '\n').replace(/^\n$/, ''), asPattern(expected), `${place}: ${command}`)
  }
}

function asPattern(expected: readonly string[]): RegExp {
  const lines = expected.map(line =>
    line === '...' ? '(?:.*\\n)*?' : `${escaped(line).replaceAll('\\.\\.\\.', '.*')}\\n`
  )
  return new RegExp(`^${lines.join('')}$`)
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
