import { isShown } from '../model/call-kinds.ts'
import type { CallKind } from '../model/records.ts'

/** A call by its number. */
export interface SourceCall<Name> {
  readonly name: Name
  readonly kind: CallKind
}

/**
 * Which tasks the calls of a run take results from. What is derived (`all`, `filter`, a part of a directory, …) is no
 * task: whoever takes it takes what it is derived from, call by call, so that views of different calls are not taken
 * for each other.
 *
 * U1 a call is added after those whose results it takes, or these are found by `find` and `args`.
 */
export class TaskSources<Name> {
  /** of what is derived: the tasks that whoever takes it takes from */
  readonly #derived = new Map<number, readonly Name[]>()
  readonly #single = new Map<Name, readonly Name[]>()
  readonly #find: (call: number) => SourceCall<Name> | undefined
  readonly #args: (call: number) => string

  constructor(find: (call: number) => SourceCall<Name> | undefined, args: (call: number) => string) {
    this.#find = find
    this.#args = args
  }

  /** A call: gives the tasks that it takes from. */
  add(call: number, kind: CallKind, argsWire: string): readonly Name[] {
    const taken = this.#takenBy(inputsOf(argsWire))
    if (!isShown(kind)) this.#derived.set(call, taken)
    return taken
  }

  #takenBy(inputs: readonly number[]): readonly Name[] {
    if (inputs.length === 0) return none
    if (inputs.length === 1) return this.#of(inputs[0] as number)
    const names = new Set<Name>()
    for (const input of inputs) for (const name of this.#of(input)) names.add(name)
    return [...names]
  }

  #of(call: number): readonly Name[] {
    const derived = this.#derived.get(call)
    if (derived !== undefined) return derived
    const found = this.#find(call)
    if (found === undefined) return none
    if (isShown(found.kind)) return this.#only(found.name)
    this.#derive(call)
    return this.#derived.get(call) ?? none
  }

  #only(name: Name): readonly Name[] {
    let names = this.#single.get(name)
    if (names === undefined) {
      names = [name]
      this.#single.set(name, names)
    }
    return names
  }

  /** Of a view that was made in an earlier life of the run, which may hang on a long chain of others. */
  #derive(view: number): void {
    const begun = new Set([view])
    const open = [view]
    for (let call = open.at(-1); call !== undefined; call = open.at(-1)) {
      const inputs = inputsOf(this.#args(call))
      const before = inputs.filter((input) => !begun.has(input) && this.#isUnknownView(input))
      if (before.length === 0) {
        // in case of a circle, which no engine makes, what is not known counts for nothing
        const known = inputs.filter((input) => this.#derived.has(input) || !this.#isUnknownView(input))
        this.#derived.set(call, this.#takenBy(known))
        open.pop()
      }
      for (const input of before) {
        begun.add(input)
        open.push(input)
      }
    }
  }

  #isUnknownView(call: number): boolean {
    if (this.#derived.has(call)) return false
    const found = this.#find(call)
    return found !== undefined && !isShown(found.kind)
  }
}

const none: readonly never[] = Object.freeze([])

const mark = '"$":"future"'
const future = /"\$":"future","call":(\d+)/g

/** The calls that arguments hold futures of. */
function inputsOf(argsWire: string): readonly number[] {
  if (!argsWire.includes(mark)) return none
  // an object of the author's own with such fields is wrapped: only there a text may look like a future and be none
  if (argsWire.includes('"$":"object"')) return [...walk(JSON.parse(argsWire))]
  const found = new Set<number>()
  for (const [, call] of argsWire.matchAll(future)) found.add(Number(call))
  return [...found]
}

function walk(wire: unknown, found: Set<number> = new Set()): Set<number> {
  if (Array.isArray(wire)) for (const item of wire) walk(item, found)
  if (wire === null || typeof wire !== 'object' || Array.isArray(wire)) return found
  const { $: kind, call, v } = wire as { readonly $?: unknown; readonly call?: unknown; readonly v?: unknown }
  if (kind === 'future') return found.add(Number(call))
  const fields = kind === 'object' ? v : wire
  for (const field of Object.values((fields ?? {}) as object)) walk(field, found)
  return found
}
