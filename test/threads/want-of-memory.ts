import { openThreadExecutor } from '../../src/executors/threads/executor.ts'
import { ExecutorBench } from '../../src/testing/executors/executor-bench.ts'
import { taskSpec } from '../../src/testing/task-spec.ts'

/**
 * How tasks end in a run of 40 MiB, as JSON: `node want-of-memory.ts TASK …`. A process of its own:
 * V8 ends the whole process where a thread asks for much at once when its heap is full already.
 */
const program = new URL('../../src/wiring/thread.ts', import.meta.url)
const at = [`${new URL('tasks.ts', import.meta.url).href}:1:1`]

const bench = await ExecutorBench.openPlain((options, listener) =>
  openThreadExecutor({ ...options, program, threads: 2, memoryBytes: 40 * 2 ** 20 }, listener),
)
const ends: unknown[] = []
for (const name of process.argv.slice(2)) {
  const task = taskSpec(name, { kind: 'thread', name, at, threads: 1 })
  ends.push(await bench.run({ task, inputs: { args: [1] } }))
}
await bench.close()
console.log(JSON.stringify({ ends }))
