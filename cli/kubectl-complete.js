#!/usr/bin/env node
// What kubectl runs to complete `kubectl bronze ...` when it is on the PATH as `kubectl_complete-bronze`.
import { fileURLToPath } from 'node:url'
import { launch } from './launch.js'

await launch(fileURLToPath(new URL('./main.ts', import.meta.url)), ['__complete', ...process.argv.slice(2)])
