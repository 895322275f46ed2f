/** Servers that the test run started once for all files, described in the environment of each file's process. */
const VARIABLE = 'BRONZE_TEST_SERVERS'

type Shared = Readonly<Record<string, unknown>>

/** What the run has shared under this name, if there is such a run. */
export function shared(name: string): unknown {
  const all = JSON.parse(process.env[VARIABLE] ?? '{}') as Shared
  return all[name]
}

/** The variable that carries descriptions of servers to the processes of the test files. */
export const shareWith = (servers: Shared): NodeJS.ProcessEnv => ({ [VARIABLE]: JSON.stringify(servers) })
