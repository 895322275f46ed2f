import { readFile, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { readPipelines, type FileProblem, type SecretDocument } from '../crds/documents.ts'
import type { BronzePipeline } from '../crds/pipeline.ts'
import { UsageError, type Io } from './command.ts'

/** What the files of the `-f` options hold together. */
export interface Manifests {
  readonly pipelines: readonly { readonly pipeline: BronzePipeline; readonly file: string }[]
  readonly secrets: readonly SecretDocument[]
  readonly problems: readonly FileProblem[]
}

export const STDIN = '-'

/** Reads files, the YAML and JSON files of folders, and standard input for `-`. Throws UsageError for what is not there. */
export async function readManifests(paths: readonly string[], io: Io): Promise<Manifests> {
  const pipelines: { pipeline: BronzePipeline; file: string }[] = []
  const secrets: SecretDocument[] = []
  const problems: FileProblem[] = []
  for (const path of paths) {
    for (const file of await filesOf(path, io.cwd)) {
      const found = readPipelines(await textOf(file, io), file === STDIN ? 'standard input' : file)
      pipelines.push(...found.pipelines.map(pipeline => ({ pipeline, file })))
      secrets.push(...found.secrets)
      problems.push(...found.problems)
    }
  }
  return { pipelines, secrets, problems: [...problems, ...repetitions(pipelines)] }
}

/** `bronze` shows it as compilers do, so that editors find the place. */
export function problemText({ file, line, path, message }: FileProblem): string {
  return `${file}:${line}: ${path === '' ? '' : `${path}: `}${message}`
}

export const pipelineId = ({ metadata }: BronzePipeline): string =>
  `${metadata.namespace ?? 'default'}/${metadata.name}`

/** The pipeline of this name (`NAME` or `NAMESPACE/NAME`), or the only one. Throws UsageError unless exactly one is meant. */
export function choosePipeline(pipelines: Manifests['pipelines'], name: string | undefined): BronzePipeline {
  const [chosen, ...more] = namedPipelines(pipelines, name)
  const ids = pipelines.map(({ pipeline }) => pipelineId(pipeline)).join(', ')
  if (more.length > 0) throw new UsageError(`the files hold several pipelines: choose one with --name (${ids})`)
  return chosen
}

/** All pipelines of this name, or all that there are. Throws UsageError when there is none. */
export function namedPipelines(
  pipelines: Manifests['pipelines'],
  name: string | undefined
): readonly [BronzePipeline, ...BronzePipeline[]] {
  if (pipelines.length === 0) throw new UsageError('the files hold no BronzePipeline')
  const all = pipelines.map(({ pipeline }) => pipeline)
  const isMeant = (pipeline: BronzePipeline) =>
    name === undefined || [pipeline.metadata.name, pipelineId(pipeline)].includes(name)
  const [first, ...rest] = all.filter(isMeant)
  if (first !== undefined) return [first, ...rest]
  throw new UsageError(`there is no pipeline ${name ?? ''}; the files hold ${all.map(pipelineId).join(', ')}`)
}

function repetitions(pipelines: Manifests['pipelines']): FileProblem[] {
  const first = new Map<string, string>()
  const problems: FileProblem[] = []
  for (const { pipeline, file } of pipelines) {
    const id = pipelineId(pipeline)
    const earlier = first.get(id)
    if (earlier === undefined) first.set(id, file)
    else problems.push({ file, line: 1, path: 'metadata.name', message: `${id} is in ${earlier} already: rename one` })
  }
  return problems
}

async function filesOf(path: string, cwd: string): Promise<string[]> {
  if (path === STDIN) return [STDIN]
  const found = await stat(resolve(cwd, path)).catch(() => undefined)
  if (found === undefined) throw new UsageError(`there is no file or folder ${path}`)
  if (!found.isDirectory()) return [path]
  const names = await readdir(resolve(cwd, path))
  const files = names.filter(name => /\.(ya?ml|json)$/.test(name)).sort()
  if (files.length === 0) throw new UsageError(`the folder ${path} holds no .yaml, .yml or .json file`)
  return files.map(name => join(path, name))
}

async function textOf(file: string, io: Io): Promise<string> {
  return file === STDIN ? await text(io.stdin()) : await readFile(resolve(io.cwd, file), 'utf8')
}
