import { tmpdir } from 'node:os'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ArrayBudget } from '../array-budget.ts'
import type { SharedFile } from '../jobs/shared-file.ts'
import { HeldValues, type Holder } from './held-values.ts'
import { SharedFiles } from './shared-files.ts'

let files: SharedFiles
let rooms = 0

beforeEach(() => {
  files = new SharedFiles(tmpdir(), tmpdir())
  rooms = 0
})
afterEach(() => files.close())

/** A worker that notes what it is asked. */
class Noting implements Holder {
  readonly id: number
  readonly asked: { readonly handle: number; readonly file: SharedFile }[] = []
  readonly freed: number[] = []

  constructor(id = 1) {
    this.id = id
  }

  export(handle: number, file: SharedFile): void {
    this.asked.push({ handle, file })
  }

  free(handles: readonly number[]): void {
    this.freed.push(...handles)
  }

  get handles(): number[] {
    return this.asked.map(({ handle }) => handle)
  }

  answer(values: HeldValues): void {
    for (const { handle, file } of this.asked.splice(0))
      values.exported(handle, file.name, { path: file.path, spans: [[0, 100]] })
  }
}

const open = (limit: number): HeldValues => new HeldValues(files, new ArrayBudget(limit), () => (rooms += 1))

it('writes to disk what nobody is known to need, then what is needed last', () => {
  const [values, worker] = [open(250), new Noting()]
  values.add(1, 100, worker, 7)
  values.add(2, 100, worker, 9)
  values.add(3, 100, worker, 8)
  expect(worker.handles).toEqual([2])
  values.add(4, 100, worker)
  values.add(5, 100, worker, 5)
  expect(worker.handles).toEqual([2, 4, 3])
  worker.answer(values)
  expect([worker.freed, values.bytesIn(worker), rooms]).toEqual([[2, 4, 3], 200, 3])
})

it('keeps what an attempt waits for, until none does', () => {
  const [values, worker] = [open(150), new Noting()]
  values.add(1, 100, worker, 9)
  values.want([1], 1)
  values.add(2, 100, worker, 1)
  expect(worker.handles).toEqual([2])
  worker.answer(values)
  values.want([1], -1)
  values.add(3, 100, worker, 5)
  expect(worker.handles).toEqual([1])
})

it('lets a value that is larger than the limit be used, and goes on where the disk is full', () => {
  const [values, worker] = [open(50), new Noting()]
  values.add(1, 100, worker, 1)
  const [first] = worker.asked
  values.exported(1, first?.file.name ?? '', 'OSError: no space left on device')
  expect([values.isFull, values.holderOf(1), worker.freed]).toEqual([true, worker, []])
  values.add(2, 100, worker, 2)
  // the first is not tried again
  expect(worker.handles).toEqual([1, 2])
})

it('loses with its holder what is lost, though who waited for one lets go of another', () => {
  const [values, worker] = [open(1000), new Noting()]
  values.add(1, 100, worker)
  values.add(2, 100, worker)
  const told: unknown[] = []
  values.fetch(1, (why) => {
    told.push(why)
    values.release([1, 2])
  })
  expect([values.holderGone(worker), told, values.holderOf(2)]).toEqual([[1, 2], [undefined], undefined])
})

it('forgets what is gone, however many come and go', () => {
  const [values, worker] = [open(1000), new Noting()]
  for (let handle = 1; handle <= 20_000; handle++) {
    values.add(handle, 100, worker, handle)
    if (handle > 5) values.release([handle - 5])
  }
  values.add(30_000, 1000, worker, 0)
  expect(worker.handles).toEqual([20_000, 19_999, 19_998, 19_997, 19_996])
})

it('gives back the file of what was released on its way, when its holder has answered or died', () => {
  const [values, worker, other] = [open(1000), new Noting(1), new Noting(2)]
  for (const [handle, holder] of [
    [1, worker],
    [2, worker],
    [3, other],
  ] as const) {
    values.add(handle, 100, holder)
    values.fetch(handle, () => {})
  }
  const asked = [...worker.asked, ...other.asked].map(({ file }) => file)
  const next = (): number => asked.indexOf(files.take(asked[0]?.capacity ?? 0))
  values.release([1, 2, 3])
  expect(next()).toBe(-1)
  values.exported(2, asked[1]?.name ?? '', { path: '', spans: [[0, 100]] })
  expect([next(), next()]).toEqual([1, -1])
  values.holderGone(worker)
  expect([next(), next()]).toEqual([0, -1])
  values.holderGone(other)
  expect(next()).toBe(2)
})

it('shares its limit with others: what they hold leaves less for it', () => {
  const budget = new ArrayBudget(250)
  const [values, worker] = [new HeldValues(files, budget, () => undefined), new Noting()]
  values.add(1, 100, worker, 7)
  budget.hold(200)
  expect([values.isFull, worker.handles]).toEqual([true, []])
  values.add(2, 10, worker, 1)
  expect(worker.handles).toEqual([1])
  worker.answer(values)
  expect([values.isFull, budget.isOver, values.bytesIn(worker)]).toEqual([false, false, 10])
  budget.hold(-200)
  values.holderGone(worker)
  expect([values.bytesIn(worker), values.isFull]).toEqual([0, false])
})
