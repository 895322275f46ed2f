import type { Connection, ConnectionOptions } from 'snowflake-sdk'

/** What the rest of this folder needs of Snowflake's client. */
export interface Driver {
  createConnection(options: ConnectionOptions): Connection
}

let loaded: Promise<Driver> | undefined

/** Snowflake's client, loaded when it is first used: it takes some 60 MiB. */
export async function loadDriver(): Promise<Driver> {
  loaded ??= load()
  return await loaded
}

async function load(): Promise<Driver> {
  // Else it asks every cloud's metadata service who we are, runs a native binary of no use, and sends what our connection looks like.
  // oxlint-disable-next-line node/no-process-env -- the client reads these alone, when it is loaded
  const { env } = process
  env['SNOWFLAKE_DISABLE_PLATFORM_DETECTION'] = 'true'
  env['SNOWFLAKE_DISABLE_MINICORE'] = 'true'
  env['SF_TELEMETRY_DISABLE_CONNECTION_SHAPE'] = 'true'
  const { default: sdk } = await import('snowflake-sdk')
  const silent = () => {}
  sdk.configure({
    // Else it writes snowflake.log into the working directory.
    logLevel: 'OFF',
    additionalLogToConsole: false,
    customLogger: { error: silent, warn: silent, info: silent, debug: silent, trace: silent },
    // What is not JSON would be run as a program.
    jsonColumnVariantParser: (text: string): unknown => text,
    xmlColumnVariantParser: (text: string): unknown => text,
    keepAlive: true,
    // The proxy is the manifest's.
    useEnvProxy: false
  })
  return sdk
}
