import { type TaskContext, task } from 'almanac'

/** The tasks of the seed's benchmark with typed arrays. In a module of its own: threads load it, and not the benchmark. */

const options = { run: 'thread', threads: 16 } as const

/** An array of one value, after a sleep. */
export const leaf = task(
  'leaf',
  options,
  async (index: number, seconds: number, length: number, { empty }: TaskContext) => {
    if (seconds > 0) {
      await new Promise<void>((resolve) => {
        setTimeout(resolve, seconds * 1000)
      })
    }
    return empty(Float64Array, length).fill(index)
  },
)

export const add = task('add', options, (a: Float64Array, b: Float64Array, { empty }: TaskContext) => {
  const sum = empty(Float64Array, a.length)
  for (let i = 0; i < sum.length; i++) sum[i] = (a[i] as number) + (b[i] as number)
  return sum
})

/** Least and largest of the sum, and its length: all that is needed to know that it is right. */
export const check = task('check', options, (total: Float64Array) => {
  let [least, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const one of total) {
    if (one < least) least = one
    if (one > largest) largest = one
  }
  return [least, largest, total.length]
})
