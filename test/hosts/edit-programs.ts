import { program } from './heads.ts'

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
