// Runs a TypeScript file of this project under a Node that can: the one at hand if it is new enough, else the one that
// npm installed beside it. Plain JavaScript, because an old Node must be able to read it.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { existsSync, realpathSync } from 'node:fs'
import { delimiter, dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const NEEDED = [24, 12]

/** @param {string} version */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])
}

/**
 * Where a platform's optional dependency keeps its Node binary; the packages have no install script.
 * @param {string} platform as `process.platform` @param {string} arch as `process.arch`
 */
export function nodeOf(platform, arch) {
  const isWindows = platform === 'win32'
  // Apple silicon came after the naming.
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'
  return {
    packageName: `${prefix}-${isWindows ? 'win' : platform}-${arch}`,
    binary: isWindows ? 'bin/node.exe' : 'bin/node'
  }
}

function installedNode() {
  const { packageName, binary } = nodeOf(process.platform, process.arch)
  try {
    const manifest = createRequire(import.meta.url).resolve(`${packageName}/package.json`)
    const path = resolve(dirname(manifest), binary)
    return existsSync(path) ? path : undefined
  } catch {
    return undefined
  }
}

/** Runs `file` with `args` as if it had been called itself: arguments, standard streams, signals and exit code pass through. */
export function launch(file, args) {
  if (isNewEnough(process.versions.node)) {
    process.argv = [process.argv[0], file, ...args]
    return import(pathToFileURL(file).href)
  }
  const node = installedNode()
  if (node === undefined) return refuse(`this is ${process.versions.node}`)
  runUnder(node, file, args)
}

function refuse(why) {
  process.stderr.write(`Node ${NEEDED.join('.')} or newer is needed (${why}): install Node 24, then run this again.\n`)
  process.exitCode = 1
}

function runUnder(node, file, args) {
  // Children that call `node` or `npm` must find this Node too.
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` }
  const guard = new URL('./stop-with-launcher.js', import.meta.url).href
  const child = spawn(node, ['--import', guard, file, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env
  })

  // A terminal sends Ctrl-C to the whole process group, so the child has it already; a second one would mean "now!" to it.
  // Either way this process stays until the child has cleaned up and ended.
  const isAtTerminal = [process.stdin, process.stdout, process.stderr].some(stream => stream.isTTY)
  const forward = signal => {
    if (signal !== 'SIGINT' || !isAtTerminal) child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)

  child.on('error', error => refuse(`the installed one does not run: ${error.message}`))
  child.on('exit', (code, signal) => {
    for (const each of signals) process.off(each, forward)
    if (signal === null) process.exitCode = code ?? 1
    else process.kill(process.pid, signal)
  })
}

const isEntry =
  process.argv[1] !== undefined &&
  existsSync(process.argv[1]) &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
if (isEntry) {
  const [file, ...args] = process.argv.slice(2)
  if (file === undefined) {
    process.stderr.write('usage: node cli/launch.js FILE [ARG ...]\n')
    process.exitCode = 2
  } else await launch(resolve(file), args)
}
