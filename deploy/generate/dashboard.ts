/** One graph, or one figure. */
interface Panel {
  readonly title: string
  /** What it shows and when to worry. */
  readonly description: string
  readonly unit: string
  /** PromQL, each with the legend of its lines. */
  readonly queries: readonly (readonly [expression: string, legend: string])[]
}

const CHOSEN = 'namespace=~"$namespace", pipeline=~"$pipeline"'
const rate = (metric: string, by: string) => `sum by (${by}) (rate(${metric}{${CHOSEN}}[$__rate_interval]))`
const quantile = (share: number, metric: string) =>
  `histogram_quantile(${share}, sum by (le, table) (rate(${metric}_bucket{${CHOSEN}}[$__rate_interval])))`
const ofPipelines = (metric: string) => `max by (namespace, pipeline) (${metric}{${CHOSEN}})`
const PIPELINE = '{{namespace}}/{{pipeline}}'

const ROWS: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
  [
    'Pipelines',
    [
      graph('Ready', '0: records are not read and written; no line: suspended, planned, or not yet known.', 'short', [
        [ofPipelines('bronze_pipeline_ready'), PIPELINE]
      ]),
      graph('Behind', 'Age of the oldest record that is not in a table, at most; no line: not known.', 's', [
        [ofPipelines('bronze_pipeline_behind_seconds'), PIPELINE]
      ]),
      graph('Lag', 'Records that are not in a table; no line: not known.', 'short', [
        [ofPipelines('bronze_pipeline_lag_records'), PIPELINE]
      ]),
      graph('Records', 'Committed to tables.', 'rowsps', [
        [rate('bronze_records_total', 'namespace, pipeline'), PIPELINE]
      ]),
      graph('Dead letters', 'Records that could not be taken.', 'rowsps', [
        [rate('bronze_dead_letters_total', 'namespace, pipeline, topic'), '{{pipeline}} {{topic}}']
      ])
    ]
  ],
  [
    'Tables',
    [
      graph('End to end', 'Age of the newest record of a partition when it becomes visible.', 's', [
        [quantile(0.5, 'bronze_end_to_end_latency_seconds'), '{{table}} median'],
        [quantile(0.99, 'bronze_end_to_end_latency_seconds'), '{{table}} 99 %']
      ]),
      graph('Commits', 'By outcome; fenced: another had the partitions.', 'ops', [
        [rate('bronze_commits_total', 'table, outcome'), '{{table}} {{outcome}}']
      ]),
      graph('Commit time', 'From taking a batch to its commit.', 's', [
        [quantile(0.99, 'bronze_commit_duration_seconds'), '{{table}} 99 %']
      ]),
      graph('Batch', 'Records per commit, median.', 'short', [[quantile(0.5, 'bronze_batch_records'), '{{table}}']]),
      graph('Since the last commit', 'A table without records has no commits.', 's', [
        [`time() - max by (table) (bronze_last_commit_timestamp_seconds{${CHOSEN}})`, '{{table}}']
      ]),
      graph('Trouble', 'Of sinks and of Kafka, by code.', 'ops', [
        [rate('bronze_sink_errors_total', 'table, code'), '{{table}} {{code}}'],
        [rate('bronze_source_errors_total', 'pipeline, code'), '{{pipeline}} {{code}}']
      ])
    ]
  ],
  [
    'Consumers',
    [
      graph('Partitions', 'Held by each consumer.', 'short', [[`bronze_assigned_partitions{${CHOSEN}}`, '{{pod}}']]),
      graph('Changes of partitions', 'Rebalances as each pipeline sees them.', 'ops', [
        [rate('bronze_assignments_total', 'namespace, pipeline'), PIPELINE]
      ]),
      graph('Buffers', 'Bytes in buffers and uploads.', 'bytes', [[`bronze_buffer_bytes{${CHOSEN}}`, '{{pod}}']]),
      graph('Memory', 'Of the whole process.', 'bytes', [[`process_resident_memory_bytes{${CHOSEN}}`, '{{pod}}']])
    ]
  ],
  [
    'Operator',
    [
      graph('Reconciles', 'By outcome.', 'ops', [
        ['sum by (outcome) (rate(bronze_operator_reconciles_total[$__rate_interval]))', '{{outcome}}']
      ]),
      graph('Reconcile time', '99 % are shorter.', 's', [
        [
          'histogram_quantile(0.99, sum by (le) (rate(bronze_operator_reconcile_seconds_bucket[$__rate_interval])))',
          '99 %'
        ]
      ]),
      graph('Writes', 'Objects applied and deleted, statuses written.', 'ops', [
        ['sum by (kind, what) (rate(bronze_operator_writes_total[$__rate_interval]))', '{{kind}} {{what}}']
      ]),
      graph('Watches that broke off', 'A few an hour are normal.', 'ops', [
        ['sum by (kind, what) (rate(bronze_operator_watch_troubles_total[$__rate_interval]))', '{{kind}} {{what}}']
      ]),
      graph('Waiting', 'Pipelines that wait for a reconcile, and replicas that work.', 'short', [
        ['max(bronze_operator_queue_keys)', 'waiting'],
        ['sum(bronze_operator_leader)', 'leaders']
      ])
    ]
  ]
]

function graph(title: string, description: string, unit: string, queries: Panel['queries']): Panel {
  return { title, description, unit, queries }
}

const SOURCE = { type: 'prometheus', uid: '${datasource}' }
const WIDTH = 8
const HEIGHT = 7
const COLUMNS = 24 / WIDTH

/** Grafana's JSON of our dashboard. */
export function dashboard(): object {
  let y = 0
  let id = 0
  const panels = ROWS.flatMap(([title, members]) => {
    const top = y
    y += 1 + Math.ceil(members.length / COLUMNS) * HEIGHT
    const row = { id: ++id, type: 'row', title, collapsed: false, panels: [], gridPos: { x: 0, y: top, w: 24, h: 1 } }
    return [
      row,
      ...members.map((panel, index) => ({
        ...panelOf(panel, ++id),
        gridPos: {
          x: (index % COLUMNS) * WIDTH,
          y: top + 1 + Math.floor(index / COLUMNS) * HEIGHT,
          w: WIDTH,
          h: HEIGHT
        }
      }))
    ]
  })
  return {
    title: 'Bronze Operator',
    uid: 'bronze-operator',
    tags: ['bronze', 'kafka'],
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    schemaVersion: 39,
    time: { from: 'now-6h', to: 'now' },
    templating: { list: [sourceVariable, variable('namespace', ''), variable('pipeline', 'namespace=~"$namespace"')] },
    panels
  }
}

const panelOf = ({ title, description, unit, queries }: Panel, id: number) => ({
  id,
  title,
  description,
  type: 'timeseries',
  datasource: SOURCE,
  fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
  options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  targets: queries.map(([expr, legendFormat], index) => ({
    refId: String.fromCharCode(65 + index),
    datasource: SOURCE,
    expr,
    legendFormat
  }))
})

const sourceVariable = { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' }

const variable = (name: string, selection: string) => ({
  name,
  type: 'query',
  datasource: SOURCE,
  query: { query: `label_values(bronze_pipeline_partitions{${selection}}, ${name})`, refId: name },
  refresh: 2,
  includeAll: true,
  multi: true,
  allValue: '.*',
  current: { text: 'All', value: '$__all' }
})
