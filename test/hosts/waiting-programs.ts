import { program } from './heads.ts'

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

/** Receives messages in a loop, until one says that it is the last. */
export const receiving = program(
  `export default workflow('main', async () => {
  const got: number[] = []
  for (;;) {
    const { n, last } = await run.receive('steer', { n: json(z.number()), last: json(z.boolean()) })
    got.push(await double(n))
    if (last) return got
  }
})`,
  `@workflow
async def main():
    got = []
    while True:
        message = await run.receive("steer", {"n": int, "last": bool})
        got.append(await double(message["n"]))
        if message["last"]: return got`,
)

/** Sends what tasks give, as futures. */
export const sending = program(
  `export default workflow('main', async () => {
  for (const n of [1, 2]) await run.send('found', { n: double(n), of: n })
  await run.send('done', null)
  return 'told'
})`,
  `@workflow
async def main():
    for n in (1, 2): await run.send("found", {"n": double(n), "of": n})
    await run.send("done")
    return "told"`,
)

/** Sends to the run that it is told. */
export const sendingTo = program(
  `export default workflow('main', { input: { to: json(z.string()) } }, async ({ to }) => {
  await run.send('steer', { n: double(2), last: false }, { to })
  await run.send('steer', { n: 5, last: true }, { to })
  return 'told'
})`,
  `@workflow
async def main(to: str):
    await run.send("steer", {"n": double(2), "last": False}, to=to)
    await run.send("steer", {"n": 5, "last": True}, to=to)
    return "told"`,
)

/** Gives its URL to a task, and looks at it in each life. */
export const calledBack = program(
  `export const told = task('told', (url: string) => url)
export default workflow('main', async () => {
  const { url, posted } = run.callback({ state: json(z.literal('done')) }, { title: 'the job' })
  const before = await told(url)
  const { state } = await posted
  return { url: before, isSame: before === (await url), state }
})`,
  `@task
def told(url): return url
@workflow
async def main():
    job = run.callback({"state": Literal["done"]}, title="the job")
    before = await told(job.url)
    message = await job.posted
    return {"url": before, "isSame": before == await job.url, "state": message["state"]}`,
)

/** Triggers runs of its own file, with a future and with a value, and says nothing of how they end. */
export const triggering = program(
  `export const other = workflow('other', { input: z.object({ n: z.number() }) }, async ({ n }) => {
  if (n > 10) throw new Error('too much')
  return double(n)
})
export default workflow('main', async () => {
  const first = await run.trigger(other, { n: double(4) }, { name: 'first' })
  const second = run.trigger(other, { n: 11 }, { tags: ['a'] })
  try {
    await run.trigger(other, { n: 'four' } as never)
  } catch (error) {
    return [first.workflow, first.name, await second.name, (error as { code: string }).code]
  }
})`,
  `@workflow
async def other(n: int):
    if n > 10: raise ValueError("too much")
    return await double(n)
@workflow
async def main():
    first = await run.trigger(other, {"n": double(4)}, name="first")
    second = run.trigger(other, {"n": 11}, tags=["a"])
    try:
        await run.trigger(other, {"n": "four"})
    except AlmanacError as error:
        return [first["workflow"], first["name"], (await second)["name"], error.code]`,
)

/** Calls itself without end. */
export const endless = program(
  `const again: (n: number) => PromiseLike<unknown> = workflow('again', { input: json<number>() }, async (n) => again(n + 1)) as never
export default workflow('main', async () => again(0))`,
  `@workflow
async def again(n):
    return await again(n + 1)
@workflow
async def main():
    return await again(0)`,
)

/** A person is asked what a failure means. */
export const judged = program(
  `const judged = task('judged', { onFailure: 'pause' }, (n: number): number => { if (n > 0) throw new RangeError('no ' + n); return n })
export default workflow('main', async () => {
  const n = await double(4)
  return [n, await judged(n)]
})`,
  `@task(on_failure="pause")
def judged(n):
    if n > 0: raise ValueError(f"no {n}")
    return n
@workflow
async def main():
    n = await double(4)
    return [n, await judged(n)]`,
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

/** Is killed on its way: it does not come to its end before the gate is there. */
export const long = program(
  `import { existsSync } from 'node:fs'
export const wait = task('wait', async (gate: string) => { while (!existsSync(gate)) await new Promise(setImmediate) })
export default workflow('main', { input: { gate: json(z.string()) } }, async ({ gate }) => {
  let n = 0
  for (let i = 0; i < 400; i++) {
    if (i === 300) await wait(gate)
    n += await double.key(String(i))(1)
  }
  return n
})`,
  `import time
@task
def wait(gate):
    while not os.path.exists(gate): time.sleep(0.01)
@workflow
async def main(gate: str):
    n = 0
    for i in range(400):
        if i == 300: await wait(gate)
        n += await double.key(str(i))(1)
    return n`,
)
