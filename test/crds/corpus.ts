import { readdirSync, readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'

/** A manifest that every judge must accept or refuse; one of two documents is a change from the first to the second. */
export interface Case {
  readonly name: string
  readonly isGood: boolean
  /** Where the problems of a bad one are: the comments `# path: why` at its top. */
  readonly paths: readonly string[]
  readonly documents: readonly unknown[]
}

const folder = new URL('corpus/', import.meta.url)
const examples = new URL('../../deploy/examples/', import.meta.url)

export function corpus(): readonly Case[] {
  return [...casesIn(new URL('good/', folder), true), ...casesIn(new URL('bad/', folder), false), ...exampleCases()]
}

function casesIn(folder: URL, isGood: boolean): Case[] {
  return yamlFiles(folder).map(name => {
    const text = readFileSync(new URL(name, folder), 'utf8')
    const paths = isGood ? [] : [...text.matchAll(/^# ([^ ]+): /gm)].map(match => match[1]!)
    return { name: name.replace('.yaml', ''), isGood, paths, documents: documentsOf(text) }
  })
}

/** Each pipeline of the examples is a good manifest of its own. */
function exampleCases(): Case[] {
  return yamlFiles(examples).flatMap(name =>
    documentsOf(readFileSync(new URL(name, examples), 'utf8'))
      .filter(document => (document as { kind?: string } | null)?.kind === 'BronzePipeline')
      .map(document => ({ name: `example ${name}`, isGood: true, paths: [], documents: [document] }))
  )
}

function yamlFiles(folder: URL): readonly string[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.yaml'))
    .toSorted()
}

function documentsOf(text: string): readonly unknown[] {
  return parseAllDocuments(text, { merge: true }).map(document => document.toJS() as unknown)
}
