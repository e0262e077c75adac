import { existsSync } from 'node:fs'
import { type File, type TaskContext, task } from '../../src/index.ts'
import { madeBy } from './made-by.ts'

/** Tasks that threads run, good ones and bad ones. */

const thread = { run: 'thread' } as const

export const double = madeBy('double', 2)
export const twins = [1, 2].map((by) => madeBy('twin', by))

export const twice = task('twice', thread, (n: number) => 2 * n)

export const ramp = task('ramp', thread, (n: number, { empty }: TaskContext) => {
  const values = empty(Float64Array, n)
  for (let i = 0; i < n; i++) values[i] = i
  return values
})

export const plain = task('plain', thread, (n: number) => new Float64Array(n).fill(n))
export const sum = task('sum', thread, (...arrays: Float64Array[]) =>
  arrays.flatMap((one) => [...one]).reduce((a, b) => a + b, 0),
)
export const same = task('same', thread, (value: unknown) => value)
export const half = task('half', thread, (values: Float64Array) => values.subarray(0, values.length / 2))
export const shared = task(
  'shared',
  thread,
  (values: Float64Array) => values.buffer instanceof SharedArrayBuffer,
)
export const mixed = task('mixed', thread, () => ({
  list: [new Int16Array([1, -2]), 'text', new Uint8Array([1, 2, 3])],
  raw: new Uint8Array([4, 5]).buffer,
  date: new Date(0),
  big: 2n ** 70n,
}))
export const writes = task('writes', thread, async () => {
  process.stdout.write('out\n')
  await new Promise<void>((resolve) => {
    process.stderr.write(Buffer.from('err\nand more\n'), () => resolve())
  })
})
export const bytes = task('bytes', thread, (raw: ArrayBuffer) => [...new Uint8Array(raw)])
export const large = task('large', thread, (value: Uint8Array) => value.map((byte) => byte + 1))

export const read = task('read', thread, (file: File, { scratch, run }: TaskContext) => [
  file.path,
  scratch,
  run,
  process.env['ALMANAC_TEST_VARIABLE'] ?? null,
])

let calls = 0
export const count = task('count', thread, () => ++calls)

export const exits = task('exits', thread, () => process.exit(7))
export const throwsLater = task('throws-later', thread, () => {
  setTimeout(() => {
    throw new TypeError('out of band')
  })
  return new Promise(() => undefined)
})
export const hoards = task('hoards', thread, () => {
  const all: unknown[] = []
  for (;;) all.push(Array.from({ length: 1000 }, (_, i) => ({ i })))
})
export const tooLarge = task('too-large', thread, () => new Float64Array(2 ** 45).length)
export const never = task('never', thread, (started: SharedArrayBuffer | null) => {
  for (;;) if (started === undefined) return
})
/** Lets nothing else of its thread have a turn until there is such a file. */
export const stands = task('stands', thread, (until: string | null) => {
  while (until !== null && !existsSync(until));
})
export const refused = task('refused', thread, () => ({ made: new Float64Array(3), bad: new Map() }))

const waiting: (() => void)[] = []
/** Resolves when so many wait at once. */
export const meet = task('meet', { ...thread, threads: 16 }, (together: number) => {
  const met = new Promise<number>((resolve) => {
    waiting.push(() => resolve(together))
  })
  if (waiting.length >= together) for (const go of waiting.splice(0)) go()
  return met
})
