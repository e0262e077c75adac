import { AlmanacError } from '../model/errors.ts'
import type { LimitRule } from '../model/limits.ts'
import type { SourcePlace } from '../model/task.ts'
import type { Value } from '../model/value.ts'
import type { Caller } from '../ports/caller.ts'
import { requireCaller } from './ambient.ts'
import { toArgs } from './arguments.ts'
import { type Future, makeFuture, view } from './future.ts'

/** What `settled` gives for each call: how it ended. */
export type Settled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } }

/** The calls of a map over a list: an array of futures, and all of them at once. */
export type FutureList<T> = readonly Future<T>[] & {
  /** All results, in order; fails with the first failure once all have ended. */
  all(): Future<T[]>
  /** How each ended, successes and failures. */
  settled(): Future<Settled<T>[]>
}

/** An array of futures with `all` and `settled`. */
export function futureList<T>(caller: Caller, futures: readonly Future<T>[]): FutureList<T> {
  const items = futures as readonly unknown[]
  return Object.defineProperties([...futures], {
    all: { value: () => view<T[]>(caller, 'all', { of: toArgs(items) }) },
    settled: { value: () => view<Settled<T>[]>(caller, 'settled', { of: toArgs(items) }, undefined, true) },
  }) as unknown as FutureList<T>
}

/**
 * One future of many: of an array or a plain object of futures and values, nested as you like.
 *
 * @example
 * ```ts
 * import { all, task, workflow } from 'almanac'
 *
 * const double = task('double', (n: number) => 2 * n)
 * const sum = task('sum', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
 *
 * export default workflow('doubles', async () => sum(all([1, 2, 3].map((n) => double(n)))))
 * ```
 */
export function all<const T>(of: T): Future<Known<T>> {
  return view(requireCaller('all'), 'all', { of: toArgs(of) })
}

/** How each of an array of futures ended: never fails. */
export function settled<T>(futures: readonly PromiseLike<T>[]): Future<Settled<T>[]> {
  return view(requireCaller('settled'), 'settled', { of: toArgs(futures) }, undefined, true)
}

/** A structure with each future replaced by its value. */
export type Known<T> =
  T extends PromiseLike<infer V>
    ? V
    : T extends readonly unknown[]
      ? { -readonly [K in keyof T]: Known<T[K]> }
      : T extends Value
        ? T
        : T extends object
          ? { -readonly [K in keyof T]: Known<T[K]> }
          : T

/**
 * Runs a function of several steps for each item, side by side: each in a branch of its own, told apart by its
 * place, or by `key` where items may come and go.
 */
export function map<I, R>(
  items: Iterable<I>,
  fn: (item: I, index: number) => PromiseLike<R> | R,
  options: { readonly key?: (item: I, index: number) => string; readonly name?: string } = {},
): FutureList<R> {
  const caller = requireCaller('map')
  const name = options.name ?? 'map'
  const seen = new Set<string>()
  const futures = [...items].map((item, index) => {
    const key = options.key?.(item, index) ?? String(index)
    if (seen.has(key))
      throw new AlmanacError('ALM_KEY_NEEDED', { what: `map with the key ${JSON.stringify(key)}` })
    seen.add(key)
    return branch<R>(caller, name, key, () => fn(item, index))
  })
  return futureList(caller, futures)
}

/** A function as a child of the caller: a scope of its own, entered again on each replay. */
export function branch<R>(
  caller: Caller,
  name: string,
  key: string | undefined,
  fn: () => unknown,
): Future<R> {
  return makeChild<R>(caller, { name, fn }, null, key)
}

interface Child {
  readonly name: string
  readonly fn: (...args: never[]) => unknown
  readonly limits?: readonly LimitRule[]
  readonly at?: SourcePlace | undefined
}

/** A child call; `fn` gets its input when that is known. */
export function makeChild<R>(caller: Caller, child: Child, args: Value, key?: string): Future<R> {
  const { name, fn, limits = [], at } = child
  const request = {
    kind: 'child',
    name,
    fn,
    ...(limits.length > 0 && { limits }),
    ...(at !== undefined && { at }),
  } as const
  return makeFuture<R>(caller, caller.call(request, args, key), [], name)
}
