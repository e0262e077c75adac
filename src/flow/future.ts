import { AlmanacError } from '../model/errors.ts'
import { joinPaths, type Path } from '../model/path.ts'
import type { DirRef, FileRef, UrlRef } from '../model/refs.ts'
import type { Value } from '../model/value.ts'
import type { Caller } from '../ports/caller.ts'
import { toArgs } from './arguments.ts'
import { type FutureTarget, futureTarget, refOf } from './future-target.ts'

/**
 * The outcome of a call that may not have ended. Awaited it gives the value, or throws what failed; passed to
 * another task it makes an edge; its fields are futures too. A lazy thenable: nothing happens when nobody asks.
 */
export type Future<T> = PromiseLike<T> & FutureFields<T>

type Leaf = null | undefined | boolean | number | string | bigint | Date | Uint8Array | FileRef | UrlRef

type FutureFields<T> = unknown extends T
  ? unknown
  : T extends Leaf
    ? unknown
    : T extends DirRef
      ? DirFuture<T>
      : T extends readonly (infer Item)[]
        ? ListFuture<Item>
        : { readonly [K in keyof T as K extends ReservedName ? never : K]-?: Future<T[K]> }

/** Names that a future has for itself: no output may be called so. */
export const reservedNames = ['then', 'map', 'all', 'filter', 'dir', 'settled'] as const
export type ReservedName = (typeof reservedNames)[number]

/** A future list. */
export interface ListFuture<Item> {
  readonly [index: number]: Future<Item>
  /** Those that `keep` says yes to. It runs in the workflow, on values. */
  filter(keep: (item: Item, index: number) => boolean): Future<Item[]>
  /** The list itself: a directory of values and a list read alike. */
  all(): Future<Item[]>
}

/** A future directory. */
export interface DirFuture<D extends DirRef> {
  /**
   * The entries for which `keep` says yes to the value that `values` (a map's output over the same entries) has
   * for them; or, without `values`, to their path. It runs in the workflow, on values.
   */
  readonly filter: DirFilter<D>
  /** The values of a map's output, in order of entry path. */
  all(): Future<ValueOf<D>[]>
}

/** `filter` of a directory, known or not. */
export interface DirFilter<D extends DirRef> {
  <V>(values: PromiseLike<DirOf<V>> | DirOf<V>, keep: (value: V, path: string) => boolean): Future<D>
  (keep: (path: string) => boolean): Future<D>
}

/** A map's output over a directory: one value an entry, by entry path. */
export type DirOf<V> = DirRef & { readonly __value?: V }
type ValueOf<D> = D extends { readonly __value?: infer V } ? V : unknown

const handler: ProxyHandler<FutureTarget> = {
  get(self, property) {
    if (property === futureTarget) return self
    if (typeof property === 'symbol') {
      if (property === Symbol.toStringTag) return 'Future'
      if (property === Symbol.toPrimitive || property === Symbol.iterator) return () => refuseText(self)
      return undefined
    }
    switch (property) {
      case 'then':
        return (succeed: unknown, fail: unknown) => whenKnown(self, succeed, fail)
      case 'all':
        return () => view(self.caller, 'all', { of: refOf(self) })
      case 'settled':
        return () => view(self.caller, 'settled', { of: refOf(self) }, undefined, true)
      case 'filter':
        return (...args: unknown[]) => filterBy(self.caller, refOf(self), args)
      case 'toString':
      case 'toJSON':
      case 'valueOf':
        return () => refuseText(self)
      default:
        return makeFuture(self.caller, self.call, joinPaths(self.path, [stepOf(property)]), self.name)
    }
  },
  has: (_, property) => property === futureTarget,
  set: (self) => refuse(self, 'it cannot be changed'),
  deleteProperty: (self) => refuse(self, 'it cannot be changed'),
}

/** Array indexes count the same as a number and as a name. */
const stepOf = (property: string): string | number =>
  /^(0|[1-9]\d{0,14})$/.test(property) ? Number(property) : property

function refuseText(self: FutureTarget): never {
  throw new AlmanacError('ALM_FUTURE_AS_TEXT', { task: self.name })
}

function refuse(self: FutureTarget, why: string): never {
  throw new AlmanacError('ALM_VALUE_REFUSED', { path: `the future of ${self.name}`, why })
}

export function makeFuture<T>(caller: Caller, call: number, path: Path, name: string): Future<T> {
  return new Proxy<FutureTarget>({ caller, call, path, name }, handler) as unknown as Future<T>
}

function whenKnown(self: FutureTarget, succeed: unknown, fail: unknown): Promise<unknown> {
  const { caller, call, path } = self
  // `await` passes both: they are called in the turn that the engine gives the outcome in
  if (typeof succeed === 'function' && typeof fail === 'function') {
    return new Promise((resolve, reject) => {
      const by = (then: (given: unknown) => unknown) => (given: unknown) => {
        try {
          resolve(then(given))
        } catch (error) {
          reject(error)
        }
      }
      caller.outcome(call, path, by(succeed as never), by(fail as never))
    })
  }
  return new Promise<Value>((resolve, reject) => caller.outcome(call, path, resolve, reject)).then(
    succeed as (value: Value) => unknown,
    fail as (error: unknown) => unknown,
  )
}

/** A call that is derived from values and never remembered: computed by the engine, at most by a predicate. */
export function view<T>(
  caller: Caller,
  name: string,
  args: Value,
  fn?: (...args: never[]) => unknown,
  tolerant = false,
): Future<T> {
  return makeFuture<T>(caller, caller.call({ kind: 'view', name, fn, tolerant }, args), [], name)
}

/** `filter` of directories and lists: of those known already as well. */
export function filterBy(caller: Caller, over: Value, args: readonly unknown[]): Future<never> {
  const keep = args.at(-1)
  if (typeof keep !== 'function') {
    throw new AlmanacError('ALM_VALUE_REFUSED', {
      path: 'filter',
      why: 'it needs a function that says yes or no',
    })
  }
  const by = args.length > 1 ? toArgs(args[0]) : null
  return view<never>(caller, 'filter', { of: over, by }, keep as (...args: never[]) => unknown)
}
