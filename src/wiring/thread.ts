import { setSourceMapsSupport } from 'node:module'
import { workerData } from 'node:worker_threads'
import { consoleCapture } from '../executors/functions/console-capture.ts'
import type { ThreadStart } from '../executors/threads/messages.ts'
import { TaskThread } from '../executors/threads/task-thread.ts'
import { ThreadTasks } from '../executors/threads/thread-tasks.ts'
import { watchDefinitions } from '../flow/definition.ts'
import { authorValue } from '../flow/values.ts'

/** The program of a thread that executes tasks: `src/executors/threads` starts it. */

const start = { ...(workerData as ThreadStart) }
// tasks have no business with it
delete (workerData as { port?: unknown }).port
setSourceMapsSupport(true, { nodeModules: false, generatedCode: false })

const tasks = new ThreadTasks()
watchDefinitions(({ spec, at, request: { fn } }) => {
  if (fn !== undefined) tasks.add({ name: spec.name, at, fn: fn as (...args: unknown[]) => unknown })
})
const thread = new TaskThread(start, tasks, authorValue)
consoleCapture.openStreams()
process.on('uncaughtException', (error) => {
  thread.threw(error)
  process.exit(1)
})
