import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Attempt } from '../../ports/executor.ts'
import { PythonBench } from '../../testing/executors/python-bench.ts'
import { patience } from '../../testing/patience.ts'
import { openPythonExecutor } from './executor.ts'

let bench: PythonBench
let file: string

const source = `
import os
import time


def work(n, log, until=None):
    with open(log, "a") as file:
        file.write(f"{n} ")
    while until is not None and not os.path.exists(until):
        time.sleep(0.002)
    return n


def noop(n):
    print("printed", n)
    return n
`

beforeEach(() => {
  bench = new PythonBench((clock, listener) => openPythonExecutor({ clock, processes: 2 }, listener))
  file = bench.write('steps.py', source)
})
afterEach(() => bench.close())

const begun = (log: string): string[] => readFileSync(log, 'utf8').split(' ').filter(Boolean).sort()

it('runs no more attempts of a run at once than were not submitted ahead', async () => {
  const task = bench.task(file, 'work', { threads: 8 })
  const log = join(bench.folder, 'log')
  const go = join(bench.folder, 'go')
  // it is known how long it takes
  await bench.value(task, { n: 0, log })
  const attempts = [1, 2, 3, 4, 5, 6].map(
    (n): Attempt => bench.attempt(task, { n, log, until: go }, n > 3 ? { behind: true } : {}),
  )
  bench.executor.submit(attempts)
  await bench.heard.until(() => attempts.filter(({ id }) => bench.heard.of(id).started > 0).length >= 3)
  // that an attempt begins may be said before its function does anything
  await vi.waitFor(() => expect(begun(log)).toEqual(['0', '1', '2', '3']), patience)
  bench.write('go', '')
  const ends = await Promise.all(attempts.map(({ id }) => bench.heard.end(id)))
  expect(ends.map(({ kind }) => kind)).toEqual(attempts.map(() => 'succeeded'))
  expect(begun(log)).toEqual(['0', '1', '2', '3', '4', '5', '6'])
})

it('cancels what waits in a worker at once, and what a dead worker had not begun is not lost', async () => {
  const task = bench.task(file, 'work', { threads: 8 })
  const log = join(bench.folder, 'log')
  const go = join(bench.folder, 'go')
  await bench.value(task, { n: 0, log })
  const first = bench.attempt(task, { n: 1, log, until: go })
  const waits = [2, 3].map((n) => bench.attempt(task, { n, log }, { behind: true }))
  bench.executor.submit([first, ...waits])
  await bench.heard.until(() => bench.heard.of(first.id).started > 0)
  bench.executor.cancel(waits[0]?.id ?? '', 60_000)
  expect(await bench.heard.end(waits[0]?.id ?? '')).toEqual({ kind: 'cancelled' })
  bench.executor.cancel(first.id, 0)
  expect(await bench.heard.end(first.id)).toEqual({ kind: 'cancelled' })
  expect(await bench.heard.end(waits[1]?.id ?? '')).toMatchObject({ kind: 'succeeded', values: { '': 3 } })
})

it('cancels what waits behind a long attempt when it is asked back for, and never executes it', async () => {
  const task = bench.task(file, 'work')
  const log = join(bench.folder, 'log')
  const go = join(bench.folder, 'go')
  await bench.value(task, { n: 0, log })
  const long = bench.attempt(task, { n: 1, log, until: go })
  const waits = bench.attempt(task, { n: 2, log }, { behind: true })
  bench.executor.submit([long, waits])
  await vi.waitFor(() => expect(begun(log)).toEqual(['0', '1']), patience)
  bench.executor.cancel(waits.id, 600_000)
  expect(await bench.heard.end(waits.id)).toEqual({ kind: 'cancelled' })
  bench.write('go', '')
  expect(await bench.heard.end(long.id)).toMatchObject({ kind: 'succeeded' })
  expect(await bench.value(task, { n: 3, log })).toBe(3)
  expect(begun(log)).toEqual(['0', '1', '3'])
})

it('begins what it is told to begin now, though nobody lets the event loop turn', async () => {
  const task = bench.task(file, 'work', { threads: 8 })
  const log = join(bench.folder, 'log')
  await bench.value(task, { n: 0, log })
  const attempt = bench.attempt(task, { n: 1, log })
  bench.executor.submit([attempt])
  bench.executor.beginNow?.()
  const until = performance.now() + patience.timeout
  while (begun(log).length < 2 && performance.now() < until);
  expect([begun(log), bench.heard.of(attempt.id).started]).toEqual([['0', '1'], 0])
  expect(await bench.heard.end(attempt.id)).toMatchObject({ kind: 'succeeded', values: { '': 1 } })
})

it('lets nothing of a run begin that is held back', async () => {
  const task = bench.task(file, 'noop')
  await bench.value(task, { n: 0 })
  bench.executor.holdBack?.('r1', 'new')
  const attempt = bench.attempt(task, { n: 1 })
  bench.executor.submit([attempt])
  await bench.value(task, { n: 2 }, { run: 'other' })
  expect(bench.heard.of(attempt.id).started).toBe(0)
  bench.executor.holdBack?.('r1', false)
  expect(await bench.heard.end(attempt.id)).toMatchObject({ kind: 'succeeded' })
})

it('gives back what has not begun where all of a run is held back, also what waits in a worker', async () => {
  const task = bench.task(file, 'work', { threads: 8 })
  const log = join(bench.folder, 'log')
  const go = join(bench.folder, 'go')
  await bench.value(task, { n: 0, log })
  const first = bench.attempt(task, { n: 1, log, until: go })
  // more than may wait in workers
  const waits = Array.from({ length: 20 }, () => bench.attempt(task, { n: 2, log }, { behind: true }))
  bench.executor.submit([first, ...waits])
  await bench.heard.until(() => bench.heard.of(first.id).started > 0)
  bench.executor.holdBack?.('r1', 'all')
  const ends = await Promise.all(waits.map(({ id }) => bench.heard.end(id)))
  expect(ends).toEqual(waits.map(() => ({ kind: 'unbegun' })))
  bench.write('go', '')
  expect(await bench.heard.end(first.id)).toMatchObject({ kind: 'succeeded' })
  bench.executor.holdBack?.('r1', false)
  expect(await bench.value(task, { n: 3, log })).toBe(3)
  expect(begun(log)).toEqual(['0', '1', '3'])
})

it('tells what short attempts print apart, though many are under way', async () => {
  const task = bench.task(file, 'noop')
  await bench.value(task, { n: 0 })
  const attempts = Array.from({ length: 200 }, (_, n) => bench.attempt(task, { n }))
  bench.executor.submit(attempts)
  await Promise.all(attempts.map(({ id }) => bench.heard.end(id)))
  expect(attempts.map(({ id }) => bench.heard.texts(id))).toEqual(attempts.map((_, n) => [`printed ${n}`]))
})
