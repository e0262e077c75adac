import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { HeldRef } from '../../model/refs.ts'
import type { Attempt } from '../../ports/executor.ts'
import { PythonBench } from '../../testing/executors/python-bench.ts'
import { openPythonExecutor } from './executor.ts'

let bench: PythonBench
let file: string
let log: string

const source = `
import os
import pickle
import time


class Array:
    def __init__(self, data):
        self.data = data

    def __reduce_ex__(self, protocol):
        return Array, (pickle.PickleBuffer(self.data),)


def leaf(n, log, size=1000, until=None):
    while until is not None and not os.path.exists(until):
        time.sleep(0.002)
    with open(log, "a") as file:
        file.write(f"{n} ")
    return Array(bytearray(size))


def meet(n, folder):
    open(f"{folder}/met-{n}", "w").close()
    while not os.path.exists(f"{folder}/met-{3 - n}"):
        time.sleep(0.002)
    return Array(bytearray(1000))


def use(n, log, array, until=None):
    while until is not None and not os.path.exists(until):
        time.sleep(0.002)
    with open(log, "a") as file:
        file.write(f"{n} ")


def refuse(size):
    return [Array(bytearray(size)), {1}]
`

beforeEach(() => {
  bench = new PythonBench((clock, listener) => openPythonExecutor({ clock, processes: 2 }, listener))
  file = bench.write('steps.py', source)
  log = join(bench.folder, 'log')
})
afterEach(() => bench.close())

const threads = { threads: 8 }
const logged = (): string[] => readFileSync(log, 'utf8').split(' ').filter(Boolean)

/** What an attempt left in its worker. */
async function heldBy({ id }: Attempt): Promise<HeldRef> {
  const end = await bench.heard.end(id)
  const value = end.kind === 'succeeded' ? end.values[''] : undefined
  if (!(value instanceof HeldRef)) throw new Error(`nothing is held: ${JSON.stringify(end)}`)
  return value
}

it('gives places to what takes held values before what only adds some, wherever they lie', async () => {
  const meet = bench.task(file, 'meet', threads)
  const [leaf, use] = [bench.task(file, 'leaf', threads), bench.task(file, 'use', threads)]
  const both = [1, 2].map((n) => bench.attempt(meet, { n, folder: bench.folder }))
  bench.executor.submit(both)
  const [here, there] = [await heldBy(both[0] as Attempt), await heldBy(both[1] as Attempt)]
  await bench.value(leaf, { n: 0, log })
  const until = join(bench.folder, 'go')
  // the only place is where one array lies
  const first = bench.attempt(use, { n: 'first', log, array: here, until })
  const leaves = Array.from({ length: 400 }, (_, n) =>
    bench.attempt(leaf, { n: n + 1, log }, { behind: true }),
  )
  const last = bench.attempt(use, { n: 'last', log, array: there }, { behind: true })
  bench.executor.submit([first, ...leaves, last])
  await bench.heard.until(() => bench.heard.of(first.id).started > 0)
  bench.write('go', '')
  await Promise.all([first, ...leaves, last].map(({ id }) => bench.heard.end(id)))
  const order = logged()
  expect(order.length).toBe(403)
  expect(order.indexOf('first')).toBe(1)
  // after those that waited in a worker already
  expect(order.indexOf('last')).toBeLessThan(150)
})

it('goes on with what adds to held values, whatever becomes of the results before', async () => {
  const [leaf, refuse] = [bench.task(file, 'leaf', threads), bench.task(file, 'refuse', threads)]
  const size = 20 * 2 ** 20
  const attempts = Array.from({ length: 12 }, (_, n) =>
    n % 3 === 0 ? bench.attempt(refuse, { size }) : bench.attempt(leaf, { n, log, size }, { behind: n > 3 }),
  )
  bench.executor.submit(attempts)
  const ends = await Promise.all(attempts.map(({ id }) => bench.heard.end(id)))
  expect(ends.map((end) => (end.kind === 'failed' ? end.error.code : end.kind))).toEqual(
    attempts.map((_, n) => (n % 3 === 0 ? 'ALM_RESULT_REFUSED' : 'succeeded')),
  )
})
