// Preloaded by launch.js into the Node it starts: when the launcher is gone, even by SIGKILL, this process is asked to stop.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// Listening alone must not keep the process alive.
process.channel?.unref()
// Processes that this one forks have channels of their own.
const preload = process.execArgv.indexOf(import.meta.url)
if (preload > 0) process.execArgv.splice(preload - 1, 2)
