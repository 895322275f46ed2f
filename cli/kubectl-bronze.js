#!/usr/bin/env node
// What kubectl runs for `kubectl bronze ...` when it is on the PATH.
import { fileURLToPath } from 'node:url'
import { launch } from './launch.js'

await launch(fileURLToPath(new URL('./main.ts', import.meta.url)), ['--as-kubectl-plugin', ...process.argv.slice(2)])
