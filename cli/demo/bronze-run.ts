import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const BRONZE = fileURLToPath(new URL('../main.ts', import.meta.url))

/** A line of `bronze run --output json`; see docs/cli.md. */
export interface RunLine {
  readonly type: 'status' | 'event' | 'done'
  readonly reason?: string
  readonly message?: string
  readonly consumer?: string | null
  readonly pid?: number | null
  readonly lag?: number | null
  readonly lastLines?: readonly string[]
}

/** `bronze run` on a manifest, as a user calls it. */
export class BronzeRun {
  readonly ended: Promise<number>
  #child: ChildProcess

  constructor(manifestFile: string, logFolder: string, onLine: (line: RunLine) => void) {
    const args = ['run', '-f', manifestFile, '--consumers', '2', '--until-caught-up', '--log-dir', logFolder]
    // A process group of its own: a Ctrl-C in the terminal is for the demo, which then asks this to stop.
    this.#child = spawn(process.execPath, [BRONZE, ...args, '--output', 'json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: process.platform !== 'win32'
    })
    const { stdout } = this.#child
    if (stdout) createInterface({ input: stdout }).on('line', line => onLine(JSON.parse(line) as RunLine))
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 130)))
    })
  }

  /** Asks it to stop its consumers and end. */
  stop(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}
