import { withCluster, type ClusterChoice } from './cluster/cluster.ts'
import { allPipelines } from './cluster/pipelines.ts'
import { EXIT_OK, type Command, type Io } from './command.ts'

/** What the shell may do beside: nothing, or offer files (as Cobra numbers them). */
const NOTHING_ELSE = 4
const FILES = 0

const VALUES: Readonly<Record<string, readonly string[]>> = {
  '-o': ['text', 'json'],
  '--output': ['text', 'json'],
  '--level': ['debug', 'info', 'warn', 'error']
}
const OF_FILES = new Set(['-f', '--filename', '--kubeconfig', '--secrets'])
const BY_NAME = new Set([
  'status',
  'plan',
  'history',
  'init',
  'validate',
  'suspend',
  'resume',
  'logs',
  'report',
  'replay'
])

/** Prints what may stand in place of the last of the words, and how the shell is to take it. Never fails. */
export async function complete(
  commands: readonly Command[],
  words: readonly string[],
  { stdout }: Io
): Promise<number> {
  const { candidates, directive } = await candidatesFor(commands, words)
  const begun = words.at(-1) ?? ''
  for (const candidate of candidates) if (candidate.startsWith(begun)) stdout.write(`${candidate}\n`)
  stdout.write(`:${directive}\n`)
  return EXIT_OK
}

interface Offer {
  readonly candidates: readonly string[]
  readonly directive: number
}

async function candidatesFor(commands: readonly Command[], words: readonly string[]): Promise<Offer> {
  const only = (candidates: readonly string[]): Offer => ({ candidates, directive: NOTHING_ELSE })
  if (words.length <= 1) return only(commands.map(({ name, summary }) => `${name}\t${summary}`))
  const command = commands.find(({ name }) => name === words[0])
  const [before = '', begun = ''] = words.slice(-2)
  // `-f` of logs follows.
  const follows = command?.name === 'logs' && before === '-f'
  if (OF_FILES.has(before) && !follows) return { candidates: [], directive: FILES }
  const values = VALUES[before]
  if (values !== undefined) return only(values)
  if (begun.startsWith('-')) return only(optionsOf(command?.help ?? ''))
  if (command === undefined || !BY_NAME.has(command.name)) return { candidates: [], directive: FILES }
  return only(await names(choiceIn(words)).catch(() => []))
}

const optionsOf = (help: string): readonly string[] =>
  [...help.matchAll(/^ {2}(?:-\w, | {4})(--[a-z-]+)/gm)].map(([, option = '']) => option)

function choiceIn(words: readonly string[]): ClusterChoice {
  const after = (...options: readonly string[]) => {
    const index = words.findIndex(word => options.includes(word))
    return index === -1 ? undefined : words[index + 1]
  }
  return { namespace: after('-n', '--namespace'), context: after('--context'), kubeconfig: after('--kubeconfig') }
}

async function names(choice: ClusterChoice): Promise<readonly string[]> {
  return await withCluster(choice, async cluster => {
    const pipelines = await allPipelines(cluster, cluster.namespace)
    return pipelines.map(({ metadata }) => metadata.name)
  })
}
