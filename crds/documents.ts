import { type Document, LineCounter, parseAllDocuments } from 'yaml'
import type { BronzePipeline } from './pipeline.ts'
import type { Problem } from './problem.ts'
import { API_VERSION, KIND } from './schema.ts'
import { parsePipeline } from './validate.ts'

export interface FileProblem extends Problem {
  readonly file: string
  /** Counted from 1. */
  readonly line: number
}

export interface SecretDocument {
  readonly name: string
  readonly namespace: string | undefined
  readonly data: ReadonlyMap<string, Buffer>
}

export interface Documents {
  /** Those without a problem, with defaults filled. */
  readonly pipelines: readonly BronzePipeline[]
  readonly secrets: readonly SecretDocument[]
  readonly problems: readonly FileProblem[]
}

interface Manifest {
  readonly apiVersion?: unknown
  readonly kind?: unknown
  readonly metadata?: { readonly name?: unknown; readonly namespace?: unknown }
  readonly data?: unknown
  readonly stringData?: unknown
}

/**
 * The pipelines and Secrets of a YAML (or JSON) text of one or several documents; documents of other kinds are left to
 * others. The values of Secrets appear in no problem.
 */
export function readPipelines(text: string, file: string): Documents {
  const counter = new LineCounter()
  const pipelines: BronzePipeline[] = []
  const secrets: SecretDocument[] = []
  const problems: FileProblem[] = []
  for (const document of parseAllDocuments(text, { lineCounter: counter, merge: true })) {
    const lineAt = (offset: number) => Math.max(1, counter.linePos(offset).line)
    if (document.errors.length > 0) {
      for (const { code, pos } of document.errors) {
        problems.push({
          file,
          line: lineAt(pos[0]),
          path: '',
          message: `is not YAML (${code}): check indentation, quotes and colons`
        })
      }
      continue
    }
    const manifest = contentOf(document)
    if (manifest === undefined) {
      problems.push({ file, line: lineAt(document.range[0]), path: '', message: 'has too many aliases: write it out' })
      continue
    }
    if (manifest === null || typeof manifest !== 'object') continue
    if (manifest.kind === 'Secret' && manifest.apiVersion === 'v1') {
      const secret = readSecret(manifest)
      if (secret) secrets.push(secret)
      else
        problems.push({
          file,
          line: lineAt(document.range[0]),
          path: 'data',
          message: 'must map names to base64 texts; plain texts belong in stringData'
        })
    } else if (manifest.kind === KIND || isOurs(manifest.apiVersion)) {
      const result = parsePipeline(manifest)
      if (result.ok) pipelines.push(result.pipeline)
      else
        for (const problem of result.problems)
          problems.push({ ...problem, file, line: lineAt(offsetOf(document, problem.path)) })
    }
  }
  return { pipelines, secrets, problems }
}

/** Undefined when aliases would blow it up. */
function contentOf(document: Document.Parsed): Manifest | null | undefined {
  try {
    return document.toJS({ maxAliasCount: 100 }) as Manifest | null
  } catch (error) {
    if (error instanceof ReferenceError) return undefined
    throw error
  }
}

function isOurs(apiVersion: unknown): boolean {
  return typeof apiVersion === 'string' && apiVersion.startsWith(`${API_VERSION.split('/')[0]}/`)
}

function readSecret({ metadata, data, stringData }: Manifest): SecretDocument | undefined {
  const entries = new Map<string, Buffer>()
  for (const [source, encoding] of [
    [data, 'base64'],
    [stringData, 'utf8']
  ] as const) {
    for (const [key, value] of Object.entries(source ?? {})) {
      if (typeof value !== 'string') return undefined
      if (encoding === 'base64' && !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value)) return undefined
      entries.set(key, Buffer.from(value, encoding))
    }
  }
  if (typeof metadata?.name !== 'string') return undefined
  return {
    name: metadata.name,
    namespace: typeof metadata.namespace === 'string' ? metadata.namespace : undefined,
    data: entries
  }
}

/** Where the path, or as much of it as is there, stands in the text. */
function offsetOf(document: Document.Parsed, path: string): number {
  const steps = [...path.matchAll(/\['([^']*)'\]|\[(\d+)\]|([^.[\]]+)/g)].map(([, quoted, index, name]) =>
    index === undefined ? (quoted ?? name!) : Number(index)
  )
  for (let depth = steps.length; depth > 0; depth--) {
    const node = document.getIn(steps.slice(0, depth), true) as { range?: readonly number[] } | undefined
    if (node?.range) return node.range[0]!
  }
  return document.range[0]
}
