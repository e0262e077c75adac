import { openPythonExecutor } from '../../src/executors/python/executor.ts'
import { taskSpec } from '../../src/testing/task-spec.ts'

/** `node debug-host.ts pdb|debugpy FILE REQUIREMENTS`: runs `f(n=20)` and `f(n=30)` of a file under a debugger. */
const [, , debug, file = '', requirements = ''] = process.argv

const ends: string[] = []
const executor = openPythonExecutor(
  {
    clock: { now: () => Date.now(), at: () => () => undefined, atRest: () => undefined },
    debug: debug === 'debugpy' ? 'debugpy' : 'pdb',
    onProgress: (line) => process.stderr.write(`${line}\n`),
  },
  {
    started: () => undefined,
    log: () => undefined,
    heartbeat: () => undefined,
    note: () => undefined,
    ended: (id, end) => {
      const text =
        end.kind === 'succeeded'
          ? JSON.stringify(end.values)
          : 'error' in end
            ? `${end.error.type} ${end.error.message}`
            : ''
      ends.push(`${id} ${end.kind} ${text}`)
      if (ends.length === 2)
        void executor.close().then(() => process.stdout.write(`${ends.join('\n')}\nall ended\n`))
    },
  },
)
const env = requirements === '' ? {} : { env: { requirements } }
const task = taskSpec('f', { kind: 'python', file, function: 'f', threads: 1, ...env })
executor.submit(
  [20, 30].map((n) => ({
    id: `n${n}`,
    run: 'r',
    call: n,
    attempt: 1,
    key: 'k',
    task,
    inputs: { n },
    outputs: {},
    scratch: '',
    idempotencyKey: '',
    timeoutMs: 1,
    memoryBytes: 1,
    env: {},
    logicalTime: 0,
  })),
)
