import { writeSync } from 'node:fs'
import { relative } from 'node:path'
import { createInterface } from 'node:readline'
import type { RunHandle } from '../../src/engine/engine.ts'
import { openAlmanac } from '../../src/main.ts'
import { encode } from '../../src/model/codec.ts'
import { AlmanacError } from '../../src/model/errors.ts'
import type { Value } from '../../src/model/value.ts'
import type { Workbench } from '../../src/workbench.ts'
import type { Asked, Life } from './rig.ts'

/**
 * A process that runs workflow files as users' processes do, to be asked and to be killed: `node driver.ts
 * PROJECT`. A line is a question, a line the answer; what is said is said once, when the run has ended or rests.
 */

const almanac = await openAlmanac({ project: process.argv[2] ?? '.', parallel: 4 })
const said: ReadonlySet<string> = new Set(['event', 'metric', 'artifact', 'progress'])
const under = new Map<string, RunHandle>()

async function run(asked: Extract<Asked, { do: 'run' }>): Promise<Life> {
  const { file, dirs = {}, resume, named } = asked
  const input: Record<string, unknown> = { ...asked.input }
  for (const [name, path] of Object.entries(dirs)) input[name] = await almanac.data.scan(path)
  const choice = named === undefined ? {} : { named }
  const { workflow, loaded } = await almanac.load(file, choice)
  const since = Date.now()
  const handle =
    resume === undefined
      ? await almanac.start(workflow, input as never, {
          file: relative(almanac.project, loaded.file),
          codeDigest: loaded.digest,
        })
      : await almanac.resume(resume, workflow)
  under.set(file, handle)
  const { state, output, error } = await handle.result
  under.delete(file)
  const { executed, reused } = handle.snapshot()
  return {
    run: handle.id,
    state,
    output: output as Value,
    ...(error !== undefined && {
      error: { code: error.code, type: error.type, message: error.message, stack: error.stack },
    }),
    executed,
    reused,
    ...(await listed(almanac, handle.id, since)),
  }
}

async function listed(
  { records }: Workbench,
  id: string,
  since: number,
): Promise<Pick<Life, 'calls' | 'fresh' | 'notes'>> {
  const calls = await records.calls(id, { limit: 1000 })
  const notes = await records.notes(id, { limit: 1000 })
  const order = calls.filter((call) => call.outcome !== undefined)
  return {
    calls: order.map(({ caller, name, call_kind: kind, outcome }) => ({
      at: `${caller} ${kind} ${name}`,
      how: outcome?.reason ?? '',
      attempt: outcome?.attempt ?? 0,
    })),
    fresh: order.flatMap(({ call_kind: kind, name, outcome }) =>
      kind === 'task' && outcome?.state === 'succeeded' && outcome.startedAt >= since ? [name] : [],
    ),
    notes: notes.flatMap(({ type, name, bodyWire }) =>
      said.has(type) ? [`${type} ${name} ${bodyWire}`] : [],
    ),
  }
}

async function answered(asked: Asked): Promise<unknown> {
  switch (asked.do) {
    case 'run':
      return run(asked)
    case 'answer': {
      const [open] = await almanac.records.asks(asked.run, { open: true })
      if (open === undefined) throw new AlmanacError('ALM_ASK_CLOSED', { run: asked.run, call: '?' })
      await almanac.journal.answer(asked.run, open.call, encode(asked.value), 'test', Date.now())
      return null
    }
    case 'send':
      await almanac.send(asked.run, asked.name, asked.value)
      return null
    case 'messages':
      return (await almanac.messages(asked.run)).map(({ direction, name, value, call, error }) => [
        direction,
        name,
        value,
        error?.code ?? call,
      ])
    case 'open':
      return (await almanac.records.asks(asked.run, { open: true })).map(({ of, title, token }) => ({
        of,
        title,
        token,
      }))
    case 'triggered':
      return triggered(asked.run)
    case 'cancel': {
      const handle = under.get(asked.file)
      handle?.request('cancel', 'test')
      return handle !== undefined
    }
    case 'recorded':
      return recorded(under.get(asked.file)?.id)
    case 'waits':
      return sleeps(under.get(asked.file)?.id)
    case 'runs':
      return (await almanac.records.runs({ file: relative(almanac.project, asked.file), limit: 10 })).map(
        ({ id }) => id,
      )
  }
}

/** The runs that it triggered, as they have ended, in order of their inputs' texts. */
async function triggered(run: string): Promise<unknown> {
  await almanac.triggered.idle()
  const runs = await almanac.records.runs({ triggeredBy: run, limit: 10 })
  const told = runs.map(({ workflow, state, inputWire, name, tags, outputWire, error }) => ({
    workflow,
    state,
    input: JSON.parse(inputWire) as unknown,
    ...(name !== undefined && { name }),
    tags,
    ...(outputWire !== undefined && { output: JSON.parse(outputWire) as unknown }),
    ...(error !== undefined && { error: error.message }),
  }))
  return told.toSorted((a, b) => (JSON.stringify(a.input) < JSON.stringify(b.input) ? -1 : 1))
}

/** Has its long sleep begun? */
async function sleeps(run: string | undefined): Promise<boolean> {
  if (run === undefined) return false
  const calls = await almanac.records.calls(run, { name: 'sleep', limit: 1 })
  return calls.length > 0
}

/** How many calls of tasks have ended, as the journal has it: what outlives the process. */
async function recorded(run: string | undefined): Promise<number> {
  if (run === undefined) return 0
  const calls = await almanac.records.calls(run, { limit: 1000 })
  return calls.filter(({ outcome }) => outcome !== undefined).length
}

const say = (number: number, answer: object): void => {
  writeSync(1, `@${JSON.stringify({ number, ...answer })}\n`)
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { number, ...asked } = JSON.parse(line) as Asked & { readonly number: number }
    answered(asked).then(
      (value) => say(number, { value }),
      (error: unknown) => say(number, { error: String(error) }),
    )
  })
  .on('close', () => void almanac.close())
