import { access, constants, mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { FatalError, errorText } from '../lib/errors.ts'
import { KubeError } from '../operator/kube/kube.ts'
import { CLUSTER_HELP, CLUSTER_OPTIONS, withCluster, type Cluster } from './cluster/cluster.ts'
import { pipelineNamed } from './cluster/pipelines.ts'
import { redact, redactFields } from './cluster/redact.ts'
import { reportParts, secretsSeen, type Part, type SecretSeen } from './cluster/report-parts.ts'
import { tar, type TarFile } from './cluster/tar.ts'
import { EXIT_OK, UsageError, parseOptions, wholeNumber, type Command, type Io } from './command.ts'
import { untilStopped } from './until-stopped.ts'
import { version } from './version.ts'

const DEFAULT_TAIL = 2000

export const report: Command = {
  name: 'report',
  summary: 'collect what helps to help with a pipeline in a cluster, without secrets',
  help: `Writes an archive with what helps others to see what is wrong with a pipeline: its objects, pods, events, the last lines of all logs, the
operator's too, and metrics. Of Secrets there are the names and the names of their keys; whatever looks like a credential is taken out
of all files. What is in it is listed.

Usage: bronze report NAME [options]

${CLUSTER_HELP}
  -o, --output FILE     an archive (.tar.gz, .tgz) or a folder; bronze-report-NAME-TIME.tar.gz when not given
      --tail N          lines of each log; 2000 when not given

Exit codes: 0 done · 1 the cluster does not answer · 2 wrong usage · 78 refused, or not there
`,
  run: runReport
}

async function runReport(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    ...CLUSTER_OPTIONS,
    output: { type: 'string', short: 'o' },
    tail: { type: 'string' }
  })
  const [name, more] = positionals
  if (name === undefined || more !== undefined) throw new UsageError('name one pipeline')
  const nowMs = Date.now()
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const folder = `bronze-report-${name}-${stamp}`
  const output = values.output ?? `${folder}.tar.gz`
  const target = resolve(io.cwd, output)
  // Before anything is asked: an old report must not be lost, nor mixed with a new one.
  if ((await stat(target).catch(() => undefined)) !== undefined) throw new UsageError(`${output} is there already`)
  await access(`${dirname(target)}/`, constants.W_OK).catch((error: unknown) => {
    throw new UsageError(`${output} cannot be written: ${errorText(error)}`)
  })
  const tailLines = wholeNumber('tail', values.tail, 1) ?? DEFAULT_TAIL
  return await untilStopped(io, async ({ signal, exitCode }) => {
    return await withCluster(values, async cluster => {
      const files = await collect(cluster, name, { tailLines, version: version(), signal })
      const stopped = exitCode()
      if (stopped !== undefined) return stopped
      await write(target, folder, files, nowMs).catch((error: unknown) => {
        throw new FatalError('NotWritten', `${output} cannot be written whole: ${errorText(error)}`, { cause: error })
      })
      io.stdout.write(files.map(({ path, text }) => `${path}   ${sizeText(Buffer.byteLength(text))}\n`).join(''))
      io.stdout.write(`written to ${output}: look through it before you hand it on\n`)
      return EXIT_OK
    })
  })
}

async function collect(
  cluster: Cluster,
  name: string,
  options: Parameters<typeof reportParts>[2]
): Promise<readonly TarFile[]> {
  const pipeline = await pipelineNamed(cluster, name)
  const secrets = await secretsSeen(cluster, pipeline)
  const values = secrets.flatMap(({ values }) => values)
  const files: TarFile[] = [{ path: 'secrets.txt', text: secretsText(secrets) }]
  const missing: string[] = []
  for (const part of await reportParts(cluster, pipeline, options)) {
    if (options.signal.aborted) break
    const text = await textOf(part, values).catch((error: unknown) => {
      if (!(error instanceof KubeError)) throw error
      missing.push(`${part.path}: ${redact(error.message, values)}`)
      return undefined
    })
    if (text !== undefined) files.push({ path: part.path, text })
  }
  if (missing.length > 0) files.push({ path: 'missing.txt', text: `${missing.join('\n')}\n` })
  return files
}

async function textOf({ read }: Part, secrets: readonly string[]): Promise<string> {
  const content = await read()
  const text = typeof content === 'string' ? content : `${JSON.stringify(redactFields(content), null, 2)}\n`
  return redact(text, secrets)
}

function secretsText(secrets: readonly SecretSeen[]): string {
  const lines = secrets.map(({ name, keys }) => {
    if (keys === undefined) return `${name}: not readable by you`
    return `${name}: ${keys.length === 0 ? 'not there, or empty' : `keys ${keys.join(', ')}`}`
  })
  return lines.length === 0 ? 'the pipeline names no Secrets\n' : `${lines.join('\n')}\n`
}

async function write(target: string, folder: string, files: readonly TarFile[], nowMs: number): Promise<void> {
  if (/\.(?:tar\.gz|tgz)$/.test(target)) {
    const inFolder = files.map(({ path, text }) => ({ path: `${folder}/${path}`, text }))
    await writeFile(target, gzipSync(tar(inFolder, nowMs)), { mode: 0o600, flag: 'wx' })
    return
  }
  for (const { path, text } of files) {
    const file = join(target, path)
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(file, text, { mode: 0o600 })
  }
}

const sizeText = (bytes: number): string => (bytes < 10_240 ? `${bytes} B` : `${Math.round(bytes / 1024)} kiB`)
