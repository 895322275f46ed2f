import { importsOf, type Import, type SourceFile } from './imports.ts'

/** What each top folder may import, itself aside. Tests may import anything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  crds: ['lib'],
  consumer: ['crds', 'lib'],
  operator: ['crds', 'lib'],
  cli: ['crds', 'lib', 'consumer', 'operator'],
  deploy: ['crds', 'lib', 'cli'],
  helm: ['crds', 'lib'],
  // The benchmark runs against the same real servers, and the same readers, as the tests.
  bench: ['crds', 'lib', 'consumer', 'operator', 'cli', 'test/servers']
}

/** Libraries that talk to other systems or own a format: each is known to one folder, so that one place changes with it. */
const CLIENTS = [
  '@aws-sdk/client-s3',
  '@kubernetes/client-node',
  '@marcbachmann/cel-js',
  '@platformatic/kafka',
  'ajv',
  'hyparquet',
  'hyparquet-writer',
  'kafkajs',
  'protobufjs',
  're2js',
  'snowflake-sdk'
]

/** Files, or folders, that decide and compute: no input or output, and time and chance are arguments. */
const PURE = [
  'lib/backoff.ts',
  'lib/cel-ast.ts',
  'lib/cel-compiler.ts',
  'lib/cel-judge.ts',
  'lib/cel-name.ts',
  'lib/cel.ts',
  'lib/clipped.ts',
  'lib/consumer-environment.ts',
  'lib/duration.ts',
  'lib/errors.ts',
  'lib/figures.ts',
  'lib/quantity.ts',
  'lib/trust.ts',
  'consumer/avro/',
  'consumer/columns/',
  'consumer/decode/',
  'consumer/parquet/',
  'consumer/batch.ts',
  'consumer/due.ts',
  'consumer/ends.ts',
  'consumer/ndjson/',
  'consumer/ownership.ts',
  'consumer/partition.ts',
  'consumer/placement.ts',
  'consumer/protobuf/',
  'consumer/record-batch.ts',
  'consumer/schema-limits.ts',
  'consumer/slot.ts',
  'consumer/source/aborted-transactions.ts',
  'consumer/source/assigned-partitions.ts',
  'consumer/source/assigner.ts',
  'consumer/source/codecs.ts',
  'consumer/source/crc32c.ts',
  'consumer/source/cursor.ts',
  'consumer/source/dead-letter-message.ts',
  'consumer/source/handover.ts',
  'consumer/source/losses.ts',
  'consumer/source/record-set.ts',
  'consumer/source/subscription.ts',
  'consumer/source/trouble.ts',
  'consumer/store/s3-encryption.ts',
  'consumer/store/s3-errors.ts',
  'consumer/table-buffer.ts',
  'consumer/topics.ts',
  'consumer/waiting-batches.ts',
  'consumer/sinks/constants.ts',
  'consumer/sinks/delta/',
  'consumer/sinks/iceberg/access.ts',
  'consumer/sinks/iceberg/avro-fields.ts',
  'consumer/sinks/iceberg/bounds.ts',
  'consumer/sinks/iceberg/catalog/answer.ts',
  'consumer/sinks/iceberg/catalog/catalog.ts',
  'consumer/sinks/iceberg/catalog/config.ts',
  'consumer/sinks/iceberg/catalog/errors.ts',
  'consumer/sinks/iceberg/catalog/idempotency.ts',
  'consumer/sinks/iceberg/checked.ts',
  'consumer/sinks/iceberg/commit.ts',
  'consumer/sinks/iceberg/counts.ts',
  'consumer/sinks/iceberg/create.ts',
  'consumer/sinks/iceberg/damage.ts',
  'consumer/sinks/iceberg/data-file.ts',
  'consumer/sinks/iceberg/evolution.ts',
  'consumer/sinks/iceberg/field-paths.ts',
  'consumer/sinks/iceberg/lineage.ts',
  'consumer/sinks/iceberg/manifest.ts',
  'consumer/sinks/iceberg/manifest-list-record.ts',
  'consumer/sinks/iceberg/manifest-list.ts',
  'consumer/sinks/iceberg/manifest-merge.ts',
  'consumer/sinks/iceberg/metadata.ts',
  'consumer/sinks/iceberg/metrics.ts',
  'consumer/sinks/iceberg/offsets.ts',
  'consumer/sinks/iceberg/parse-metadata.ts',
  'consumer/sinks/iceberg/partition-path.ts',
  'consumer/sinks/iceberg/partition-spec.ts',
  'consumer/sinks/iceberg/schema.ts',
  'consumer/sinks/iceberg/snapshot-history.ts',
  'consumer/sinks/iceberg/sort-order.ts',
  'consumer/sinks/iceberg/state.ts',
  'consumer/sinks/iceberg/summary.ts',
  'consumer/sinks/iceberg/thinning.ts',
  'consumer/sinks/iceberg/writable.ts',
  'consumer/sinks/json.ts',
  'consumer/sinks/offset-key.ts',
  'consumer/sinks/s3/commit-object.ts',
  'consumer/sinks/s3/names.ts',
  'consumer/sinks/s3/path-template.ts',
  'consumer/sinks/s3/planned-object.ts',
  'consumer/sinks/s3/staged.ts',
  'consumer/sinks/s3/table-object.ts',
  'consumer/sinks/s3/type-text.ts',
  'consumer/sinks/snowflake/session/errors.ts',
  'consumer/sinks/snowflake/session/session.ts',
  'consumer/sinks/snowflake/sql/',
  'consumer/sinks/snowflake/streaming/answers.ts',
  'consumer/sinks/snowflake/streaming/embeddable.ts',
  'consumer/sinks/snowflake/streaming/history-statements.ts',
  'consumer/sinks/snowflake/streaming/jobs.ts',
  'consumer/sinks/snowflake/streaming/ledger-statements.ts',
  'consumer/sinks/snowflake/streaming/letters.ts',
  'consumer/sinks/snowflake/streaming/mark.ts',
  'consumer/sinks/snowflake/streaming/names.ts',
  'consumer/sinks/snowflake/streaming/position.ts',
  'consumer/sinks/snowflake/streaming/requests.ts',
  'consumer/sinks/snowflake/streaming/staged.ts',
  'consumer/sinks/snowflake/streaming/token.ts',
  'operator/actions.ts',
  'operator/claims/',
  'operator/facts.ts',
  'operator/in-cluster.ts',
  'operator/kube/allowance.ts',
  'operator/kube/kept.ts',
  'operator/kube/kube.ts',
  'operator/kube/times.ts',
  'operator/kube/watch-trouble.ts',
  'operator/objects/',
  'operator/plan.ts',
  'operator/queue/heap.ts',
  'operator/revision/',
  'operator/scaling/',
  'operator/source/',
  'operator/status/'
]
/** The shells among them. */
const SHELLS = [
  'consumer/decode/value-readers.ts',
  'consumer/sinks/delta/checkpoint.ts',
  'consumer/sinks/delta/history.ts',
  'consumer/sinks/delta/sink.ts',
  'consumer/sinks/delta/table.ts',
  'consumer/sinks/delta/load.ts',
  'consumer/sinks/delta/dead-letters.ts',
  'consumer/sinks/delta/data-file.ts',
  'consumer/sinks/delta/maintenance.ts',
  'operator/objects/dry-run.ts',
  'operator/source/sampling.ts'
]
/** `node:module` loads code, not data. */
const PURE_MODULES = ['node:zlib', 'node:buffer', 'node:util', 'node:crypto', 'node:assert', 'node:module']
const IMPURE =
  /\b(?:Date\.now|new Date\(\)|Math\.random|randomUUID|randomBytes|performance\.|process\.|setTimeout|setInterval|setImmediate|fetch\()/

/** Everything that is wrong with the tree, one line each. */
export function faults(files: readonly SourceFile[]): string[] {
  const code = files.filter(({ path }) => /\.(?:ts|js)$/.test(path))
  return [
    ...code.flatMap(file => [...importFaults(file), ...purityFaults(file), ...textFaults(file)]),
    ...clientFaults(code),
    ...files.flatMap(placeFaults)
  ]
}

function importFaults(file: SourceFile): string[] {
  const { path } = file
  return importsOf(file)
    .filter(({ isFile }) => isFile)
    .flatMap(({ target }) => [
      ...(/\.(?:ts|js|json)$/.test(target) ? [] : [`${path} imports ${target} without its extension`]),
      ...(isAllowed(path, target) ? [] : [`${path} may not import ${target}`])
    ])
}

function isAllowed(path: string, target: string): boolean {
  const [from = '', to = ''] = [path, target].map(each => each.split('/')[0])
  if (from === 'test') return true
  const sinks = [path, target].map(each => /^consumer\/sinks\/([^/]+)\//.exec(each)?.[1])
  if (sinks[0] !== undefined && sinks[1] !== undefined) return sinks[0] === sinks[1]
  return from === to || (MAY_IMPORT[from] ?? []).some(folder => target.startsWith(`${folder}/`))
}

/** Whether a file must be pure. */
export const isPure = (path: string): boolean =>
  PURE.some(each => path.startsWith(each)) && !SHELLS.includes(path) && path.endsWith('.ts')

function purityFaults(file: SourceFile): string[] {
  const { path, text } = file
  if (!isPure(path)) return []
  const found = IMPURE.exec(withoutComments(text))
  return [
    ...(found === null ? [] : [`${path} must be pure, but says ${found[0]}`]),
    ...importsOf(file)
      .filter(each => !mayPureImport(each))
      .map(({ target }) => `${path} must be pure, but imports ${target}`)
  ]
}

function mayPureImport({ target, isFile, isTypeOnly }: Import): boolean {
  if (isTypeOnly) return true
  if (isFile) return isPure(target) || target.startsWith('crds/')
  return !target.startsWith('node:') || PURE_MODULES.includes(target)
}

function clientFaults(code: readonly SourceFile[]): string[] {
  const product = code.filter(({ path }) => /^(?:lib|crds|consumer|operator|cli)\//.test(path))
  return CLIENTS.flatMap(client => {
    const importers = product.filter(file => importsOf(file).some(({ target }) => target === client))
    const folders = [...new Set(importers.map(({ path }) => path.slice(0, path.lastIndexOf('/'))))]
    return folders.length < 2 ? [] : [`${client} is imported from more than one folder: ${folders.join(', ')}`]
  })
}

function textFaults({ path, text }: SourceFile): string[] {
  const isTest = path.startsWith('test/')
  return [
    ...(path.endsWith('/index.ts') ? [`${path} is a barrel by its name`] : []),
    ...(isTest && /^\s*(?:test|it|describe|suite)\.only\(/m.test(text)
      ? [`${path} leaves other tests out by .only`]
      : []),
    ...(!path.startsWith('test/tidy/') && /oxlint-disable(?![^\n]* -- \S)/.test(text)
      ? [`${path} disables a lint rule without a reason after " -- "`]
      : []),
    ...(/^test\/integration\/.*\.test\.ts$/.test(path) && !/\bneed\(/.test(text)
      ? [`${path} is an integration test, but needs no server`]
      : [])
  ]
}

/** Nothing in the repository may depend on one machine or name an address of a package registry. */
function placeFaults({ path, text }: SourceFile): string[] {
  const found =
    /registry\.npmjs\.org|proxy\.golang\.org|repo1?\.maven\.|pypi\.org|\/(?:work|root)\/[a-z]|\/opt\/node/.exec(text)
  return found === null || path.startsWith('test/tidy/') ? [] : [`${path} names the place ${found[0]}`]
}

const withoutComments = (text: string) => text.replaceAll(/\/\*.*?\*\/|^\s*\/\/.*$/gms, '')
