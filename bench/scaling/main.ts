import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { scalingReport } from './report.ts'

const page = fileURLToPath(new URL('../../docs/scaling.md', import.meta.url))
const plot = fileURLToPath(new URL('../../docs/scaling-day.svg', import.meta.url))

/** Runs the day of docs/scaling.md under both rules and writes its plot and its figures: `npm run simulate:scaling`. */
const report = scalingReport(await readFile(page, 'utf8'))
await writeFile(plot, report.plot)
await writeFile(page, report.page)
console.log('wrote docs/scaling-day.svg and the figures of docs/scaling.md')
