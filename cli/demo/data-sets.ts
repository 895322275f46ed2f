import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'
import { queryRows } from './duckdb.ts'

/** What goes into one topic: real observations, as JSON texts. */
export interface DataSet {
  readonly topic: string
  readonly table: string
  readonly partitions: number
  readonly codec: 'none' | 'zstd'
  readonly about: string
  readonly observations: readonly { key: string; timestampMs: number; json: string }[]
  /** JSON, but without what the table requires. */
  readonly incomplete: string
  /** JSON, but of a type that the table does not take. */
  readonly mistyped: string
}

/** Real data, from a package that `npm ci` has installed; `flights` says how many of these. */
export async function readDataSets(flights: number): Promise<readonly DataSet[]> {
  const manifest = findPackageJSON('vega-datasets', import.meta.url)
  if (manifest === undefined) throw new Error('the package vega-datasets is not installed: run npm ci')
  const folder = join(dirname(manifest), 'data')
  return [await readFlights(folder, flights), readEarthquakes(folder), readWeather(folder)]
}

async function readFlights(folder: string, count: number): Promise<DataSet> {
  const file = join(folder, 'flights-3m.parquet').replaceAll("'", "''")
  const rows = await queryRows<{
    time: number
    date: string
    delay: number
    distance: number
    from: string
    to: string
  }>(
    `SELECT epoch_ms(date::TIMESTAMP)::DOUBLE AS time, strftime(date, '%Y-%m-%dT%H:%M:%SZ') AS date,
       delay::INTEGER AS delay, distance::INTEGER AS distance, origin AS from, destination AS to
     FROM '${file}' WHERE delay IS NOT NULL LIMIT ${count}`
  )
  return {
    topic: 'flights',
    table: 'bronze.flights',
    partitions: 6,
    codec: 'zstd',
    about: 'US domestic flights of 2001: delay in minutes, distance in miles',
    observations: rows.map(({ time, date, delay, distance, from, to }) => ({
      key: from,
      timestampMs: time,
      json: JSON.stringify({ date, delay, distance, origin: from, destination: to })
    })),
    incomplete: '{"date":"2001-01-01T06:00:00Z","delay":3}',
    mistyped: '{"date":"2001-01-01T06:00:00Z","delay":"soon","distance":100,"origin":"SFO","destination":"LAX"}'
  }
}

interface Earthquake {
  readonly id: string
  readonly properties: { readonly time: number; readonly mag: number | null; readonly place: string | null }
}

function readEarthquakes(folder: string): DataSet {
  const text = readFileSync(join(folder, 'earthquakes.json'), 'utf8')
  const { features } = JSON.parse(text) as { features: readonly Earthquake[] }
  return {
    topic: 'earthquakes',
    table: 'bronze.earthquakes',
    partitions: 2,
    codec: 'none',
    about: 'earthquakes of one week in February 2018, as GeoJSON from the USGS',
    observations: features.map(feature => ({
      key: feature.id,
      timestampMs: feature.properties.time,
      json: JSON.stringify(feature)
    })),
    incomplete: '{"type":"Feature","properties":{"mag":4.2}}',
    mistyped: '{"id":"xx0000","properties":{"mag":"strong","place":"somewhere"}}'
  }
}

function readWeather(folder: string): DataSet {
  const [head = '', ...lines] = readFileSync(join(folder, 'weather.csv'), 'utf8').trim().split('\n')
  const names = head.split(',')
  const observations = lines.map(line => {
    const day = Object.fromEntries(line.split(',').map((text, index) => [names[index] ?? '', numberOr(text)]))
    return {
      key: String(day['location']),
      timestampMs: Date.parse(`${String(day['date'])}T12:00:00Z`),
      json: JSON.stringify(day)
    }
  })
  return {
    topic: 'weather',
    table: 'bronze.weather',
    partitions: 2,
    codec: 'none',
    about: 'daily weather of Seattle and New York, 2012 to 2015',
    observations,
    incomplete: '{"temp_max":12.8,"weather":"rain"}',
    mistyped: '{"location":"Seattle","date":"2012-01-01","temp_max":"mild"}'
  }
}

const numberOr = (text: string): number | string => (text !== '' && Number.isFinite(Number(text)) ? Number(text) : text)
