import type { S3Options } from '../../../crds/s3-options.ts'
import { FatalError } from '../../../lib/errors.ts'
import type { LoadedTable } from './catalog/catalog.ts'

/** What the catalog tells about reaching a table's files on S3. */
export interface S3Access {
  readonly endpoint: string | undefined
  readonly region: string | undefined
  readonly forcePathStyle: boolean | undefined
  readonly credentials: VendedCredentials | undefined
}

export interface VendedCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | undefined
  /** Undefined: they last. */
  readonly expiresAtMs: number | undefined
}

/** Of a table's properties for clients, those for `location`: the credentials with the longest prefix go first. */
export function s3Access(loaded: Pick<LoadedTable, 'config' | 'storageCredentials'>, location: string): S3Access {
  const [best] = loaded.storageCredentials
    .filter(({ prefix }) => schemeless(location).startsWith(schemeless(prefix)))
    .toSorted((a, b) => b.prefix.length - a.prefix.length)
  const config = { ...loaded.config, ...best?.config }
  const { 's3.access-key-id': accessKeyId, 's3.secret-access-key': secretAccessKey } = config
  const expiresAtMs = Number(config['s3.session-token-expires-at-ms'])
  const pathStyle = config['s3.path-style-access']
  return {
    endpoint: config['s3.endpoint'],
    region: config['s3.region'] ?? config['client.region'],
    forcePathStyle: pathStyle === undefined ? undefined : pathStyle.toLowerCase() === 'true',
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined
        ? undefined
        : {
            accessKeyId,
            secretAccessKey,
            sessionToken: config['s3.session-token'],
            expiresAtMs: Number.isFinite(expiresAtMs) && expiresAtMs > 0 ? expiresAtMs : undefined
          }
  }
}

/** `s3a://` and `s3n://` are older names for the same place. */
const schemeless = (uri: string): string => uri.replace(/^s3[an]?:\/\//, '')

const DEFAULT_REGION = 'us-east-1'

/** What the pipeline says goes before what the catalog says; a value that is the default counts as not said. */
export function s3Options(said: S3Options | undefined, told: S3Access): S3Options {
  return {
    endpoint: said?.endpoint ?? told.endpoint,
    region: (said?.region === DEFAULT_REGION ? undefined : said?.region) ?? told.region ?? DEFAULT_REGION,
    forcePathStyle: said?.forcePathStyle === true || told.forcePathStyle === true,
    credentialsSecret: said?.credentialsSecret,
    caSecret: said?.caSecret,
    ...(said?.encryption === undefined ? {} : { encryption: said.encryption })
  }
}

/** Where an object lies: the root of a store, and the path in it. Iceberg's URIs are not percent-encoded. */
export interface Place {
  /** `s3://bucket` or `file:///`. */
  readonly root: string
  readonly path: string
}

export function placeOf(uri: string): Place {
  const bucket = /^s3[an]?:\/\/([^/]+)\/(.*)$/.exec(uri)
  if (bucket !== null) return { root: `s3://${bucket[1]}`, path: bucket[2] ?? '' }
  const file = /^(?:file:(?:\/\/)?)?\/(?!\/)(.*)$/.exec(uri)
  if (file !== null) return { root: 'file:///', path: file[1] ?? '' }
  throw new FatalError(
    'UnsupportedLocation',
    `The table's files lie at ${uri}, which is neither s3:// nor file:///. Name another table in spec.topics[].table, or ` +
      'let the catalog use another warehouse (spec.sink.iceberg.location).'
  )
}
