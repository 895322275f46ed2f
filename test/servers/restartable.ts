import type { ServerProcess } from './process.ts'

/** A server that can be killed and started again with what it keeps. */
export interface RestartableServer {
  /** Of the process that runs now. */
  readonly pid: number
  /** Ends it, and removes what it keeps. */
  readonly stop: () => Promise<void>
  readonly kill: () => Promise<void>
  /** Starts it again on the same port with the same state, after `kill`; while it runs, it is stopped first. */
  readonly restart: () => Promise<void>
}

/** `launch` resolves when the server is ready; it finds what it keeps in `state`, which goes when the first launch fails. */
export async function startRestartable(
  state: { readonly remove: () => Promise<void> },
  launch: () => Promise<ServerProcess>
): Promise<RestartableServer> {
  let running = await launch().catch(async (error: unknown) => {
    await state.remove()
    throw error
  })
  return {
    get pid() {
      return running.pid
    },
    kill: () => running.kill(),
    restart: async () => {
      await running.stop()
      running = await launch()
    },
    stop: async () => {
      await running.stop()
      await state.remove()
    }
  }
}
