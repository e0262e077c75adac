import type { Program } from './rig.ts'

/** Programs of the contract of workflow hosts, in both languages side by side. */

const heads: Program = {
  ts: `import { AlmanacError, all, json, map, python, run, settled, task, type TaskContext, workflow, z } from 'almanac'
export const double = task('double', (n: number) => 2 * n)
export const total = task('total', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
export const fails = task('fails', (n: number): number => { throw new RangeError('no ' + n) })
`,
  py: `import asyncio, os
from almanac import *
import almanac
@task
def double(n): return 2 * n
@task
def total(numbers): return sum(numbers)
@task
def fails(n): raise ValueError(f"no {n}")
`,
}

const program = (ts: string, py: string): Program => ({ ts: heads.ts + ts, py: heads.py + py })

export const equalCalls = program(
  `export default workflow('main', async () => {
  const twice = [double(1), double(1)]
  const keyed = [double.key('a')(1), double.key('b')(1)]
  return { twice, keyed, nested: all({ of: [double(2), { deep: double(3) }] }) }
})`,
  `@workflow
async def main():
    twice = [double(1), double(1)]
    keyed = [double.key("a")(1), double.key("b")(1)]
    return {"twice": twice, "keyed": keyed, "nested": almanac.all({"of": [double(2), {"deep": double(3)}]})}`,
)

/** To be edited: see `edits`. */
export const edited = program(
  `const offset = (): number => 10
export const shift = task('shift', (n: number) => n + offset())
export default workflow('main', async () => {
  const a = await double(1)
  const b = shift(a)
  const c = double(5)
  return await total([b, c])
})`,
  `def offset(): return 10
@task
def shift(n): return n + offset()
@workflow
async def main():
    a = await double(1)
    b = shift(a)
    c = double(5)
    return await total([b, c])`,
)

interface Edit {
  readonly ts: readonly [string, string]
  readonly py: readonly [string, string]
  readonly output: number
  /** tasks that are executed again when the run is resumed */
  readonly again: readonly string[]
}

export const edits: Readonly<Record<string, Edit>> = {
  'nothing: nothing is executed': {
    ts: ['return await total', 'return  await total'],
    py: ['return await total', 'return  await total'],
    output: 22,
    again: [],
  },
  'a call inserted before others: it alone is executed, and what takes it': {
    ts: ['  const b =', '  const x = double(7)\n  const b ='],
    py: ['    b =', '    x = double(7)\n    b ='],
    output: 22,
    again: ['double'],
  },
  'a call removed: what takes the others is executed': {
    ts: ['[b, c]', '[b]'],
    py: ['[b, c]', '[b]'],
    output: 12,
    again: ['total'],
  },
  'calls in another order: none is executed': {
    ts: ['  const b = shift(a)\n  const c = double(5)', '  const c = double(5)\n  const b = shift(a)'],
    py: ['    b = shift(a)\n    c = double(5)', '    c = double(5)\n    b = shift(a)'],
    output: 22,
    again: [],
  },
  'an argument: the call and what takes it': {
    ts: ['double(5)', 'double(6)'],
    py: ['double(5)', 'double(6)'],
    output: 24,
    again: ['double', 'total'],
  },
  'the code of a task: its calls and what takes another value of theirs': {
    ts: ['n + offset()', 'n + 1 + offset()'],
    py: ['n + offset()', 'n + 1 + offset()'],
    output: 23,
    again: ['shift', 'total'],
  },
  'the code of a task, with the same value: what takes it is kept': {
    ts: ['n + offset()', 'offset() + n'],
    py: ['n + offset()', 'offset() + n'],
    output: 22,
    again: ['shift'],
  },
  'a helper of a task: the calls of that task': {
    ts: ['=> 10', '=> 20'],
    py: ['return 10', 'return 20'],
    output: 32,
    again: ['shift', 'total'],
  },
  'a comment in a task: none': {
    ts: ['(n: number) => n + offset()', '(n: number) => /* far */ n + offset()'],
    py: ['return n + offset()', 'return n + offset()  # far'],
    output: 22,
    again: [],
  },
}

/** Chains of different lengths: the shorter one arrives first, and does so again. */
export const arrivals = program(
  `export default workflow('main', async () => {
  const order: string[] = []
  const chain = async (name: string, steps: number) => {
    let n = 1
    for (let i = 0; i < steps; i++) n = await double.key(name + i)(n)
    order.push(name)
    return n
  }
  const values = await Promise.all([chain('long', 4), chain('short', 1), chain('middle', 2)])
  return { order, values }
})`,
  `@workflow
async def main():
    order = []
    async def chain(name, steps):
        n = 1
        for i in range(steps): n = await double.key(f"{name}{i}")(n)
        order.append(name)
        return n
    values = await asyncio.gather(chain("long", 4), chain("short", 1), chain("middle", 2))
    return {"order": order, "values": values}`,
)

export const caught = program(
  `export default workflow('main', async () => {
  const ended: string[] = []
  let message = ''
  try {
    try { await fails(3) } finally { ended.push('inner') }
  } catch (error) {
    message = error instanceof AlmanacError ? error.code + ': ' + error.message : 'other'
  }
  const how = await settled([double(8), fails(9)])
  const many = await map([1, 2], (n) => double(n), { key: String }).settled()
  return { ended, message, how: how.map((one) => one.ok), many: many.map((one) => one.ok), after: double(2) }
})`,
  `@workflow
async def main():
    ended = []
    message = ""
    try:
        try: await fails(3)
        finally: ended.append("inner")
    except AlmanacError as error:
        message = error.code + ": " + error.args[0]
    how = await settled([double(8), fails(9)])
    many = await map(lambda n: double(n), [1, 2], key=str).settled()
    return {"ended": ended, "message": message, "how": [one["ok"] for one in how], "many": [one["ok"] for one in many], "after": double(2)}`,
)

export const uncaught = program(
  `export default workflow('main', async () => {
  const before = await double(1)
  await fails(before)
})`,
  `@workflow
async def main():
    before = await double(1)
    await fails(before)`,
)

/** Nobody awaits what fails. */
export const unheard = program(
  `export default workflow('main', async () => {
  void fails(1)
  return await double(1)
})`,
  `@workflow
async def main():
    fails(1)
    return await double(1)`,
)

export const raises = program(
  `export default workflow('main', async () => {
  await double(1)
  throw new TypeError('not this way')
})`,
  `@workflow
async def main():
    await double(1)
    raise TypeError("not this way")`,
)

/** One error in the place of another, which caused it. */
export const wrapped = program(
  `export default workflow('main', async () => {
  try { await fails(1) } catch (cause) { throw new TypeError('in other words', { cause }) }
})`,
  `@workflow
async def main():
    try: await fails(1)
    except TaskFailed as cause: raise TypeError("in other words") from cause`,
)

export const retried = program(
  `export const flaky = task('flaky', { retries: { count: 3, delay: 0 } }, (n: number, { attempt }: TaskContext) => {
  if (attempt < 3) throw new Error('not yet')
  return n + attempt
})
export default workflow('main', async () => flaky(10))`,
  `@task(retries={"count": 3, "delay": 0})
def flaky(n):
    attempt = int(os.environ["ALMANAC_ATTEMPT"])
    if attempt < 3: raise RuntimeError("not yet")
    return n + attempt
@workflow
async def main(): return await flaky(10)`,
)

export const mapped = program(
  `export default workflow('main', { input: { items: json<number[]>() } }, async ({ items }) => {
  const steps = async (n: number) => double(await double(n))
  const branches = await map(items, steps, { key: String, name: 'steps' }).all()
  return { branches, calls: double.map(items).all(), later: double.map(all(items.map((n) => n + 1))) }
})`,
  `@workflow
async def main(items: list[int]):
    async def steps(n): return await double(await double(n))
    branches = await map(steps, items, key=str, name="steps").all()
    return {"branches": branches, "calls": double.map(items).all(), "later": double.map(gather(*[n + 1 for n in items]))}`,
)

export const children = program(
  `export const child = workflow('child', { input: { n: json(z.number().int()) } }, async ({ n }): Promise<number> => {
  if (n < 0) throw new RangeError('below ' + n)
  return n === 0 ? 0 : (await child({ n: n - 1 })) + (await double(n))
})
export default workflow('main', async () => {
  const values = [await child({ n: 2 }), await child.key('b')({ n: double(1) })]
  const staged = await run.stage('last', async () => child({ n: 1 }))
  let why = ''
  try { await child({ n: -1 }) } catch (error) { why = (error as Error).message }
  let misfit = ''
  try { await child({ n: 'x' as never }) } catch (error) { misfit = (error as AlmanacError).code }
  return { values, staged, why, misfit }
})`,
  `@workflow
async def child(n: int):
    if n < 0: raise ValueError(f"below {n}")
    return 0 if n == 0 else (await child(n=n - 1)) + (await double(n))
@workflow
async def main():
    values = [await child(n=2), await child.key("b")(n=double(1))]
    staged = await run.stage("last", lambda: child(n=1))
    why = misfit = ""
    try: await child(n=-1)
    except AlmanacError as error: why = error.args[0]
    try: await child(n="x")
    except AlmanacError as error: misfit = error.code
    return {"values": values, "staged": staged, "why": why, "misfit": misfit}`,
)

export const remembered = program(
  `export default workflow('main', async () => {
  run.event('begun', { n: 1 })
  const at = await run.now()
  const chance = await run.random()
  run.metric('figure', 0.5, { step: 2 })
  await run.sleep(1)
  return { at: at.getTime(), chance }
})`,
  `@workflow
async def main():
    run.event("begun", n=1)
    at = await run.now()
    chance = await run.random()
    run.metric("figure", 0.5, step=2)
    await run.sleep(0.001)
    return {"at": round(at.timestamp() * 1000), "chance": chance}`,
)

export const asking = program(
  `export default workflow('main', async () => {
  const n = await double(4)
  const { ok, why } = await run.ask({ ok: json(z.boolean()), why: json(z.string()) }, { title: 'is it right?', show: n })
  return [n, ok, why, await double(n)]
})`,
  `@workflow
async def main():
    n = await double(4)
    answer = await run.ask({"ok": bool, "why": str}, title="is it right?", show=n)
    return [n, answer["ok"], answer["why"], await double(n)]`,
)

/** Waits for long; cancelled it cleans up. */
export const waiting = program(
  `export default workflow('main', async () => {
  const n = await double(1)
  try {
    await run.sleep('1h')
  } catch (error) {
    run.event('cleaned', { code: (error as AlmanacError).code })
    throw error
  }
  return n
})`,
  `@workflow
async def main():
    n = await double(1)
    try:
        await run.sleep("1h")
    except AlmanacError as error:
        run.event("cleaned", code=error.code)
        raise
    return n`,
)

export const documents = program(
  `const calibration = run.context('calibration', { schema: z.object({ gain: z.number(), flags: z.array(z.string()).default([]) }), initial: { gain: 1, flags: [] } })
export const image = task('image', { context: { calibration } }, (n: number, { context }: TaskContext) => n * (context['calibration'] as { gain: number }).gain)
export default workflow('main', async () => {
  const before = await calibration.get()
  const first = await image(2)
  const put = await calibration.put({ gain: first + 1, flags: ['A'] })
  const patched = await calibration.patch({ gain: 5 })
  return { before, first, put, patched, second: image(2), version: calibration.get().version }
})`,
  `from dataclasses import dataclass, field
@dataclass
class Calibration:
    gain: int
    flags: list[str] = field(default_factory=list)
calibration = run.context("calibration", schema=Calibration, initial={"gain": 1, "flags": []})
@task(context={"calibration": calibration})
def image(n, calibration): return n * calibration["gain"]
@workflow
async def main():
    before = await calibration.get()
    first = await image(2)
    put = await calibration.put({"gain": first + 1, "flags": ["A"]})
    patched = await calibration.patch({"gain": 5})
    return {"before": before, "first": first, "put": put, "patched": patched, "second": image(2), "version": calibration.get().version}`,
)

/** Is killed on its way. */
export const long = program(
  `export default workflow('main', async () => {
  let n = 0
  for (let i = 0; i < 400; i++) n += await double.key(String(i))(1)
  return n
})`,
  `@workflow
async def main():
    n = 0
    for i in range(400): n += await double.key(str(i))(1)
    return n`,
)

/** What each refuses, by what becomes of the run. */
export const refusals: readonly (readonly [string, string, Program])[] = [
  [
    'a result that cannot be kept',
    'ALM_VALUE_REFUSED',
    program(
      `export default workflow('main', async () => ({ a: [() => 1] }))`,
      `@workflow\nasync def main(): return {"a": [lambda: 1]}`,
    ),
  ],
  [
    'an argument that cannot be kept',
    'ALM_VALUE_REFUSED',
    program(
      `export default workflow('main', async () => double(new Map() as never))`,
      `@workflow\nasync def main(): return await double(object())`,
    ),
  ],
  [
    'a future used as a text',
    'ALM_FUTURE_AS_TEXT',
    program(
      'export default workflow(\'main\', async () => `it is ${double(1)}`)',
      `@workflow\nasync def main(): return f"it is {double(1)}"`,
    ),
  ],
  [
    'two branches of one key',
    'ALM_KEY_NEEDED',
    program(
      `export default workflow('main', async () => map([1, 1], (n) => double(n), { key: String }).all())`,
      `@workflow\nasync def main(): return await map(lambda n: double(n), [1, 1], key=str).all()`,
    ),
  ],
  [
    'an input that does not fit',
    'ALM_SCHEMA',
    program(
      `const one = workflow('one', { input: { n: json(z.number()) } }, async ({ n }) => n)
export default workflow('main', async () => one({ n: 'x' as never }))`,
      `@workflow
async def one(n: int): return n
@workflow
async def main(): return await one(n="x")`,
    ),
  ],
  [
    'a limit that nobody declares',
    'ALM_LIMIT_UNKNOWN',
    program(
      `export const limited = task('limited', { limits: ['nowhere'] }, (n: number) => n)
export default workflow('main', async () => limited(1))`,
      `@task(limits=["nowhere"])
def limited(n): return n
@workflow
async def main(): return await limited(1)`,
    ),
  ],
]

/** A workflow that others call, and one that calls the one in the file of the other language. */
export const across: Program = program(
  `const other = python.workflow('across.py:callee')
export const callee = workflow('callee', { input: { n: json(z.number().int()), deep: json(z.number()) } }, async ({ n, deep }): Promise<unknown> => {
  if (n < 0) await fails(n)
  return deep === 0 ? double(n) : (other({ n: n + 1, deep: deep - 1 }))
})
export default workflow('main', async () => {
  const values = [await other({ n: 1, deep: 0 }), await other({ n: double(2), deep: 3 }), await other.key('k')({ n: 1, deep: 1 })]
  let why: unknown
  try { await other({ n: -1, deep: 0 }) } catch (error) { why = [(error as AlmanacError).code, (error as Error).message] }
  let misfit = ''
  try { await other({ n: 'x', deep: 0 }) } catch (error) { misfit = (error as AlmanacError).code }
  return { values, why, misfit }
})
`,
  `other = workflow_from("across.ts", "callee")
@workflow
async def callee(n: int, deep: int):
    if n < 0: await fails(n)
    return await double(n) if deep == 0 else await other(n=n + 1, deep=deep - 1)
@workflow
async def main():
    values = [await other(n=1, deep=0), await other(n=double(2), deep=3), await other.key("k")(n=1, deep=1)]
    why = misfit = None
    try: await other(n=-1, deep=0)
    except AlmanacError as error: why = [error.code, error.args[0]]
    try: await other(n="x", deep=0)
    except AlmanacError as error: misfit = error.code
    return {"values": values, "why": why, "misfit": misfit}
`,
)

/** The other waits for a person; cancelled it cleans up. */
export const acrossWaiting: Program = program(
  `const other = python.workflow('across-waiting.py:callee')
export const callee = workflow('callee', { input: { hour: json<boolean>() } }, async ({ hour }) => {
  const n = await double(1)
  try {
    if (hour) await run.sleep('1h')
  } catch (error) {
    run.event('cleaned', { code: (error as AlmanacError).code })
    throw error
  }
  const { ok } = await run.ask({ ok: json(z.boolean()) }, { title: 'ok?' })
  return [n, ok]
})
export default workflow('main', { input: { hour: json<boolean>() } }, async ({ hour }) => other({ hour }))
`,
  `other = workflow_from("across-waiting.ts", "callee")
@workflow
async def callee(hour: bool):
    n = await double(1)
    try:
        if hour: await run.sleep("1h")
    except AlmanacError as error:
        run.event("cleaned", code=error.code)
        raise
    answer = await run.ask({"ok": bool}, title="ok?")
    return [n, answer["ok"]]
@workflow
async def main(hour: bool): return await other(hour=hour)
`,
)
