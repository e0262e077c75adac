import { json, python, workflow } from 'almanac'

const same = python.task({ run: 'pyflow.py:same', input: { n: json<number>() } })

/** Microseconds of a step that waits for the one before it: of the first `count`, and of as many after four times that. */
export const chain = workflow('chain', { input: { count: json<number>() } }, async ({ count }) => {
  for (let n = 0; n < 200; n++) await same({ n })
  const times: number[] = []
  for (let part = 0; part < 5; part++) {
    const began = performance.now()
    for (let n = 0; n < count; n++) await same({ n: part * count + n })
    times.push((1000 * (performance.now() - began)) / count)
  }
  return [times[0], times.at(-1)]
})
