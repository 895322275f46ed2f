import { clean } from './clean.ts'
import { complete } from './completion.ts'
import { EXIT_PROBLEMS, EXIT_USAGE, UsageError, type Command, type Io } from './command.ts'
import { history } from './history.ts'
import { init } from './init.ts'
import { logs } from './logs.ts'
import { plan } from './plan.ts'
import { replay } from './replay.ts'
import { report } from './report.ts'
import { run } from './run.ts'
import { status } from './status-command.ts'
import { resume, suspend } from './suspend.ts'
import { validate } from './validate.ts'
import { EXIT_CONFIGURATION, EXIT_DEFECT, FatalError, RetryableError } from '../lib/errors.ts'
import { version } from './version.ts'

const COMMANDS: readonly Command[] = [
  validate,
  plan,
  init,
  run,
  status,
  history,
  replay,
  logs,
  suspend,
  resume,
  report,
  clean
]

const HELP = `bronze turns Kafka topics into exactly-once bronze tables.

Usage: bronze <command> [options]

Commands:
${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`).join('\n')}

  bronze <command> --help    all about one command
  bronze --version           the version

Exit codes: 0 done · 1 problems found · 2 wrong usage · 70 a defect in bronze · 78 configuration that only you can fix
`

/** What `kubectl-bronze` puts before the arguments. */
const AS_PLUGIN = '--as-kubectl-plugin'

/** Does what the arguments say; gives the exit code. */
export async function dispatch(args: readonly string[], outer: Io): Promise<number> {
  const isPlugin = args[0] === AS_PLUGIN
  const [name, ...rest] = isPlugin ? args.slice(1) : args
  const io = isPlugin ? { ...outer, program: 'kubectl bronze' } : outer
  if (name === '__complete') return await complete(COMMANDS, rest, io)
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const asked = COMMANDS.find(command => command.name === rest[0])
    if (name === 'help' && asked !== undefined) return print(io.stdout, asCalled(asked.help, io))
    print(name === undefined ? io.stderr : io.stdout, asCalled(HELP, io))
    return name === undefined ? EXIT_USAGE : 0
  }
  if (name === '--version' || name === '-v' || name === 'version') return print(io.stdout, `${version()}\n`)
  const command = COMMANDS.find(command => command.name === name)
  if (command === undefined) {
    const near = COMMANDS.find(command => command.name.startsWith(name[0] ?? ''))?.name
    const hint = near === undefined ? 'see bronze --help' : `did you mean ${near}?`
    return fail(io, `there is no command '${name}'; ${hint}`, EXIT_USAGE)
  }
  const options = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest
  if (options.includes('--help') || options.includes('-h')) return print(io.stdout, asCalled(command.help, io))
  try {
    return await command.run(rest, io)
  } catch (error) {
    if (error instanceof UsageError) {
      return fail(io, `${error.message}\nSee bronze ${command.name} --help.`, EXIT_USAGE)
    }
    if (error instanceof RetryableError) return fail(io, `${error.code}: ${error.message}`, EXIT_PROBLEMS)
    if (error instanceof FatalError) return fail(io, `${error.reason}: ${error.message}`, EXIT_CONFIGURATION)
    return fail(io, `this is a defect in bronze: ${error instanceof Error ? error.stack : String(error)}`, EXIT_DEFECT)
  }
}

const CALLS = new RegExp(
  `\\bbronze(?= (?:<command>|--version|--help|(?:${COMMANDS.map(({ name }) => name).join('|')})\\b))`,
  'g'
)

/** Texts name the program as it was called. */
const asCalled = (text: string, { program }: Io): string => text.replaceAll(CALLS, program)

function print(stream: NodeJS.WritableStream, text: string): number {
  stream.write(text)
  return 0
}

function fail(io: Io, message: string, exitCode: number): number {
  io.stderr.write(`bronze: ${asCalled(message, io)}\n`)
  return exitCode
}
