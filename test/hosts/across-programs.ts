import { program } from './heads.ts'
import type { Program } from './rig.ts'

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

/** The other raises what is its own, or gives what it does not declare. */
export const acrossRaises: Program = program(
  `const other = python.workflow('across-raises.py:callee')
const untrue = python.workflow('across-raises.py:untrue')
export const callee = workflow('callee', async () => { throw new RangeError('over there') })
export const untrue_ = workflow('untrue', { output: json(z.number()) }, async () => 'text' as never)
export default workflow('main', async () => {
  let code = ''
  try { await untrue({}) } catch (error) { code = (error as AlmanacError).code }
  run.event('untrue', { code })
  return other({})
})
`,
  `other = workflow_from("across-raises.ts", "callee")
untrue_ = workflow_from("across-raises.ts", "untrue")
@workflow
async def callee(): raise ValueError("over there")
@workflow
async def untrue() -> int: return "text"
@workflow
async def main():
    code = ""
    try: await untrue_()
    except AlmanacError as error: code = error.code
    run.event("untrue", code=code)
    return await other()
`,
)
