import { program } from './heads.ts'
import type { Program } from './rig.ts'

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

/** Only an async function that nobody awaits waits for what fails, as the workflow's has ended. */
export const forgotten = program(
  `async function lost() { await fails(4) }
export default workflow('main', async () => {
  void lost()
  return 1
})`,
  `async def lost(): await fails(4)
@workflow
async def main():
    asyncio.create_task(lost())
    await run.now()
    return 1`,
)

/** Such a function raises by itself, when it has what its caller waits for too. */
export const strays = program(
  `async function lost(one: PromiseLike<number>) {
  await one
  throw new TypeError('astray')
}
export default workflow('main', async () => {
  const one = double(1)
  void lost(one)
  await one
  return await double(2)
})`,
  `async def lost(one):
    await one
    raise TypeError("astray")
@workflow
async def main():
    one = double(1)
    asyncio.create_task(lost(one))
    await one
    return await double(2)`,
)

/** Two fail that are awaited together: the second one when the first is caught already. */
export const together = program(
  `async function deep(n: number) { return await Promise.all([double(n), fails(double(n))]) }
export default workflow('main', async () => {
  try { return await Promise.all([fails(1), deep(2)]) } catch { return 'caught' }
})`,
  `async def deep(n): return await asyncio.gather(double(n), fails(double(n)))
@workflow
async def main():
    try: return await asyncio.gather(fails(1), deep(2))
    except TaskFailed: return "caught"`,
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

/** What is raised is below what is tried again. */
export const retried = program(
  `class Early extends RangeError {}
export const flaky = task('flaky', { retries: { count: 3, delay: 0, on: ['RangeError'] } }, (n: number, { attempt }: TaskContext) => {
  if (attempt < 3) throw new Early('not yet')
  return n + attempt
})
export default workflow('main', async () => flaky(10))`,
  `class Early(LookupError): pass
@task(retries={"count": 3, "delay": 0, "on": [LookupError]})
def flaky(n):
    attempt = int(os.environ["ALMANAC_ATTEMPT"])
    if attempt < 3: raise Early("not yet")
    return n + attempt
@workflow
async def main(): return await flaky(10)`,
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
      "export default workflow('main', async () => 'it is ' + String(double(1)))",
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
    'a result that does not fit, of what was known late',
    'ALM_SCHEMA',
    program(
      `export default workflow('main', { output: { n: json(z.string()) } }, async () => ({ n: double(1) }) as never)`,
      `class Result(TypedDict):
    n: str
@workflow
async def main() -> Result: return {"n": double(1)}`,
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
