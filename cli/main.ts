import type { Io } from './command.ts'
import { dispatch } from './dispatch.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

let onReaderGone = () => {}
// A reader that goes away (`bronze ... | head`) is no defect.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  onReaderGone()
})

const io: Io = {
  program: 'bronze',
  stdin: () => process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  onSignal: handler => {
    for (const signal of SIGNALS) process.on(signal, handler)
    onReaderGone = () => {
      onReaderGone = () => {}
      handler('SIGPIPE')
    }
    return () => {
      for (const signal of SIGNALS) process.off(signal, handler)
    }
  }
}

process.exitCode = await dispatch(process.argv.slice(2), io)
// Clients that still ask a server which is away must not hold the process. Output that waits for a slow reader does.
setTimeout(() => {
  if (process.stdout.writableLength === 0) process.exit()
}, 2000).unref()
