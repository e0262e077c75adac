import { json, python, workflow } from 'almanac'

const same = python.task({ run: 'pyflow.py:same', input: { n: json<number>() } })

/** Microseconds of a step that waits for the one before it. */
export const chain = workflow('chain', { input: { count: json<number>() } }, async ({ count }) => {
  for (let n = 0; n < 200; n++) await same({ n })
  const began = performance.now()
  for (let n = 0; n < count; n++) await same({ n })
  return (1000 * (performance.now() - began)) / count
})
