import { writeFileSync } from 'node:fs'

/** Loaded before a measured program: leaves the operating system's account of the process when it ends. */
const file = process.env['BENCH_ACCOUNT']
process.on('exit', () => {
  if (file === undefined) return
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  writeFileSync(file, JSON.stringify({ cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakRssMiB: maxRSS / 1024 }))
})
