// Runs a TypeScript file of this project under a Node that can: the one at hand if it is new enough, else the one that
// npm installed beside it. Plain JavaScript, because an old Node must be able to read it.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const NEEDED = [24, 12]

/** @param {string} version */
const isNewEnough = version => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])
}

/** The Node binary from the platform's optional dependency, which has no install script. */
function installedNode() {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
    const binary = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    return existsSync(binary) ? binary : undefined
  } catch {
    return undefined
  }
}

/** Runs `file` with `args`; exits as it exits. Signals from a terminal reach the child by themselves. */
export function launch(file, args) {
  if (isNewEnough(process.versions.node)) {
    process.argv = [process.argv[0], file, ...args]
    return import(pathToFileURL(file).href)
  }
  const node = installedNode()
  if (node === undefined) {
    process.stderr.write(`Node ${NEEDED.join('.')} or newer is needed (this is ${process.versions.node}): install Node 24, then run this again.\n`)
    process.exit(1)
  }
  // Children that call `node` or `npm` must find this Node too.
  const env = { ...process.env, PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH ?? ''}` }
  const child = spawn(node, [file, ...args], { stdio: 'inherit', env })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => { if (signal !== 'SIGINT') child.kill(signal) })
  child.on('exit', (code, signal) => { process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1) })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [file, ...args] = process.argv.slice(2)
  if (file === undefined) throw new Error('usage: node cli/launch.js FILE [ARG ...]')
  await launch(join(process.cwd(), file), args)
}
