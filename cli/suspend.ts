import { systemClock } from '../lib/clock.ts'
import { parseDurationMs } from '../lib/duration.ts'
import { PIPELINES } from '../operator/kube/kube.ts'
import { CLUSTER_HELP, CLUSTER_OPTIONS, FIELD_MANAGER, withCluster, type Cluster } from './cluster/cluster.ts'
import { awaitState } from './cluster/await-state.ts'
import { managedText, managersOf } from './cluster/managed-by.ts'
import { pipelineNamed, pipelinesNamed } from './cluster/pipelines.ts'
import { EXIT_OK, EXIT_PROBLEMS, UsageError, parseOptions, type Command, type Io } from './command.ts'
import { pipelineId } from './manifests.ts'
import { untilStopped } from './until-stopped.ts'

const EXITS =
  'Exit codes: 0 done · 1 the time was over, or the cluster does not answer · 2 wrong usage · 78 refused, or not there'

export const suspend: Command = {
  name: 'suspend',
  summary: 'stop the consumers of pipelines in a cluster, after a last commit',
  help: `Sets spec.suspend of pipelines in a cluster: their consumers commit what they hold and leave. Nothing is lost; reading goes on from
there with bronze resume.

Usage: bronze suspend NAME [NAME ...] [options]

${CLUSTER_HELP}
      --wait            until no consumer is left
      --timeout TIME    how long to wait (30s, 5m); 10m when not given

${EXITS}
`,
  run: (args, io) => setSuspend(true, args, io)
}

export const resume: Command = {
  name: 'resume',
  summary: 'start the consumers of suspended pipelines again',
  help: `Takes spec.suspend back: consumers start, and go on where the tables are.

Usage: bronze resume NAME [NAME ...] [options]

${CLUSTER_HELP}
      --wait            until the pipelines are ready
      --timeout TIME    how long to wait (30s, 5m); 10m when not given

${EXITS}
`,
  run: (args, io) => setSuspend(false, args, io)
}

async function setSuspend(suspend: boolean, args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    ...CLUSTER_OPTIONS,
    wait: { type: 'boolean', default: false },
    timeout: { type: 'string', default: '10m' }
  })
  if (positionals.length === 0) throw new UsageError('name the pipeline')
  const timeoutMs = parseDurationMs(values.timeout)
  if (timeoutMs === undefined) throw new UsageError(`--timeout takes a time such as 30s or 5m, not '${values.timeout}'`)
  return await withCluster(values, async cluster => {
    // All are looked up before the first is changed.
    const names = (await pipelinesNamed(cluster, positionals)).map(({ metadata }) => metadata.name)
    for (const name of names) await setOne(cluster, name, suspend, io)
    return values.wait ? await waitForAll(cluster, names, { suspend, timeoutMs }, io) : EXIT_OK
  })
}

async function setOne(cluster: Cluster, name: string, suspend: boolean, { stdout, stderr }: Io): Promise<void> {
  const pipeline = await pipelineNamed(cluster, name)
  const id = pipelineId(pipeline)
  if (pipeline.spec.suspend === suspend) {
    stdout.write(`${id}: ${suspend ? 'is suspended already' : 'is not suspended'}\n`)
    return
  }
  const { namespace, uid } = pipeline.metadata
  await cluster.kube.mergePatch(
    PIPELINES,
    { namespace, name, uid },
    { spec: { suspend } },
    { fieldManager: FIELD_MANAGER }
  )
  stdout.write(`${id}: ${suspend ? 'suspended' : 'resumed'}\n`)
  const warning = managedText(managersOf(pipeline, ['spec', 'suspend']), 'spec.suspend')
  if (warning !== undefined) stderr.write(`bronze: ${id}: ${warning}\n`)
}

async function waitForAll(
  cluster: Cluster,
  names: readonly string[],
  { suspend, timeoutMs }: { readonly suspend: boolean; readonly timeoutMs: number },
  io: Io
): Promise<number> {
  const untilMs = Date.now() + timeoutMs
  const tell = (name: string) => (text: string) => void io.stdout.write(`${cluster.namespace}/${name}: ${text}\n`)
  return await untilStopped(io, async ({ signal, exitCode }) => {
    const outcomes = await Promise.all(
      names.map(name => awaitState(cluster, name, { suspend, untilMs, clock: systemClock, tell: tell(name), signal }))
    )
    return exitCode() ?? (outcomes.every(outcome => outcome === 'reached') ? EXIT_OK : EXIT_PROBLEMS)
  })
}
