import type { Day, Point } from './day.ts'
import { DAY_SECONDS, EVENTS } from './traffic.ts'

const WIDTH = 1000
const [LEFT, RIGHT] = [62, 970]
const COLORS = { ours: '#0b6e99', theirs: '#d9730d', arrival: '#787774', grid: '#e3e2e0', text: '#37352f' }

interface Panel {
  readonly title: string
  readonly top: number
  readonly height: number
  /** Smallest and largest value shown. */
  readonly range: readonly [number, number]
  readonly isLog: boolean
  readonly ticks: readonly (readonly [value: number, label: string])[]
}

const PANELS = {
  arrival: {
    title: 'Records per second that come',
    top: 86,
    height: 90,
    range: [0, 36_000],
    isLog: false,
    ticks: [
      [0, '0'],
      [12_000, '12k'],
      [24_000, '24k'],
      [36_000, '36k']
    ]
  },
  lag: {
    title: 'Lag: records that wait (each step is ten times as many)',
    top: 220,
    height: 150,
    range: [1000, 10_000_000],
    isLog: true,
    ticks: [
      [1000, '1k'],
      [10_000, '10k'],
      [100_000, '100k'],
      [1_000_000, '1M'],
      [10_000_000, '10M']
    ]
  },
  replicas: {
    title: 'Consumers',
    top: 414,
    height: 120,
    range: [0, 12],
    isLog: false,
    ticks: [
      [0, '0'],
      [4, '4'],
      [8, '8'],
      [12, '12']
    ]
  },
  rebalances: {
    title: 'Rebalances since midnight',
    top: 578,
    height: 110,
    range: [0, 400],
    isLog: false,
    ticks: [
      [0, '0'],
      [100, '100'],
      [200, '200'],
      [300, '300'],
      [400, '400']
    ]
  }
} as const satisfies Record<string, Panel>

const BOTTOM = PANELS.rebalances.top + PANELS.rebalances.height

/** The day under two rules as SVG: what comes, what waits, consumers and rebalances. */
export function plotOf(ours: Day, theirs: Day): string {
  const line = (panel: Panel, day: Day, value: (point: Point) => number, color: string, isStep = false) =>
    `<path d="${pathOf(panel, day, value, isStep)}" fill="none" stroke="${color}" stroke-width="1.5"/>`
  const both = (panel: Panel, value: (point: Point) => number, isStep = false) => [
    line(panel, theirs, value, COLORS.theirs, isStep),
    line(panel, ours, value, COLORS.ours, isStep)
  ]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${BOTTOM + 36}" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="${COLORS.text}">`,
    `<title>A day of traffic under two rules of scaling</title>`,
    `<rect width="${WIDTH}" height="${BOTTOM + 36}" fill="#ffffff"/>`,
    ...legend(ours.rule, theirs.rule),
    ...EVENTS.flatMap(eventBand),
    ...Object.values(PANELS).flatMap(axes),
    ...hours(),
    line(PANELS.arrival, ours, ({ arrival }) => arrival, COLORS.arrival),
    ...both(PANELS.lag, ({ lag }) => lag),
    ...both(PANELS.replicas, ({ replicas }) => replicas, true),
    ...both(PANELS.rebalances, ({ rebalances }) => rebalances, true),
    '</svg>',
    ''
  ].join('\n')
}

const xOf = (second: number): number => LEFT + ((RIGHT - LEFT) * second) / DAY_SECONDS

function yOf({ top, height, range: [least, most], isLog }: Panel, value: number): number {
  const kept = Math.min(most, Math.max(least, value))
  const share = isLog ? Math.log(kept / least) / Math.log(most / least) : (kept - least) / (most - least)
  return top + height * (1 - share)
}

/** Points on one level are left out: only where a line turns is of use. */
function pathOf(panel: Panel, { points }: Day, value: (point: Point) => number, isStep: boolean): string {
  const parts: string[] = []
  let last: string | undefined
  for (const [index, point] of points.entries()) {
    const [x, y] = [xOf(point.second).toFixed(1), yOf(panel, value(point)).toFixed(1)]
    const next = points[index + 1]
    const isBend = y !== last || next === undefined || yOf(panel, value(next)).toFixed(1) !== y
    if (!isBend) continue
    if (last === undefined) parts.push(`M${x} ${y}`)
    else parts.push(isStep && y !== last ? `H${x}V${y}` : `L${x} ${y}`)
    last = y
  }
  return parts.join('')
}

function axes(panel: Panel): string[] {
  const { title, top, ticks } = panel
  return [
    `<text x="${LEFT}" y="${top - 10}" font-weight="bold">${title}</text>`,
    ...ticks.flatMap(([value, label]) => {
      const y = yOf(panel, value).toFixed(1)
      return [
        `<line x1="${LEFT}" y1="${y}" x2="${RIGHT}" y2="${y}" stroke="${COLORS.grid}"/>`,
        `<text x="${LEFT - 8}" y="${y}" dy="4" text-anchor="end">${label}</text>`
      ]
    })
  ]
}

function hours(): string[] {
  return Array.from({ length: 9 }, (_, index) => index * 3).map(hour => {
    const x = xOf(hour * 3600).toFixed(1)
    return `<text x="${x}" y="${BOTTOM + 20}" text-anchor="middle">${hour}:00</text>`
  })
}

function eventBand({ name, fromHour, toHour }: (typeof EVENTS)[number]): string[] {
  const [from, to] = [xOf(fromHour * 3600), xOf(toHour * 3600)]
  const top = PANELS.arrival.top - 28
  // Names of short events would run into their neighbours'.
  const labelY = top - (toHour - fromHour < 0.05 ? 18 : 4)
  return [
    `<rect x="${from.toFixed(1)}" y="${top}" width="${Math.max(1.5, to - from).toFixed(1)}" height="${BOTTOM - top}" fill="#f1f1ef"/>`,
    `<text x="${((from + to) / 2).toFixed(1)}" y="${labelY}" text-anchor="middle" font-size="10.5">${name}</text>`
  ]
}

function legend(ours: string, theirs: string): string[] {
  const entry = (x: number, color: string, label: string) => [
    `<line x1="${x}" y1="14" x2="${x + 24}" y2="14" stroke="${color}" stroke-width="3"/>`,
    `<text x="${x + 30}" y="18">${label}</text>`
  ]
  return [...entry(LEFT, COLORS.ours, ours), ...entry(LEFT + 140, COLORS.theirs, theirs)]
}
