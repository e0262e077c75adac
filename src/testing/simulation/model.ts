import { HeldRef } from '../../model/refs.ts'
import { hashOf, textHash } from './hashes.ts'
import {
  attempt,
  type Entries,
  good,
  isMany,
  type Outcome,
  one,
  type Plain,
  plain,
  see,
  skipped,
  Thrown,
  together,
  type Variable,
} from './outcome.ts'
import type { Block, Count, Program, Step, Term } from './program.ts'
import { shapes } from './shapes.ts'

export type { Plain } from './outcome.ts'

/** What only the run itself can say: chance, time, and who came first. */
export interface Oracle {
  /** which of those that raced was first, by where */
  first(at: string): number
  /** a number that was drawn, the time, or the version that was published */
  said(at: string): number
  /** what was in the directory that was read */
  files(at: string): Readonly<Record<string, number>>
}

/** How a program is to end. */
export type Expected = (
  | { readonly state: 'succeeded'; readonly output: Plain }
  | { readonly state: 'failed' }
) & {
  /** what it leaves behind on its way */
  readonly left: readonly Left[]
}

/** A message that was sent, or a run that was triggered, by where. */
export interface Left {
  readonly at: string
  readonly what: string
  readonly value: Plain
}

/** A run of another workflow of the program. */
export interface Entered {
  readonly workflow: number
  readonly n: Plain
  /** the place of the trigger */
  readonly at: string
}

/** What a program gives, read as it stands: no engine, no time, no order but what the oracle says. */
export function interpret(program: Program, oracle: Oracle, entered?: Entered): Expected {
  const model = new Model(program, oracle)
  const { left } = model
  const output = attempt(() => (entered === undefined ? model.main() : model.triggered(entered)))
  return model.hasUnseen || output instanceof Thrown
    ? { state: 'failed', left }
    : { state: 'succeeded', output, left }
}

/** Where the places of a triggered run begin. */
export const placeOfTriggered = (at: string): string => `!${at}`

/** How many calls a program makes where all that races is won by the first. */
export function callsOf(program: Program): number {
  const model = new Model(program, {
    first: () => 0,
    said: () => 0,
    files: () => ({ '0.txt': 1, '1.txt': 2 }),
  })
  attempt(() => model.main())
  return model.calls
}

/** What a task gives for its arguments: the same for the model and for the workers. */
export function taskValue(task: number, meaning: number, tag: string, args: readonly Plain[]): number {
  return hashOf(task, meaning, textHash(tag), ...numbers(args))
}

export const pairOf = (value: number): Plain => ({ a: hashOf(value, 1), b: hashOf(value, 2) })

/** Does the task fail for good on the input that gives this value? */
export const isDoomed = (task: number, value: number): boolean => {
  const { failsOneIn, cured } = shapes[task] ?? {}
  return failsOneIn !== undefined && cured !== true && hashOf(value, 77) % failsOneIn === 0
}

/** All numbers in a value, in order. */
export function numbers(value: unknown): number[] {
  if (typeof value === 'number') return [value]
  if (value instanceof HeldRef) return [Number(value.type)]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbers) : []
}

export const isKept = (value: number): boolean => value % 2 === 0

class Model {
  readonly #program: Program
  readonly #oracle: Oracle
  readonly #failures: Outcome[] = []
  readonly left: Left[] = []
  calls = 0

  constructor(program: Program, oracle: Oracle) {
    this.#program = program
    this.#oracle = oracle
  }

  get hasUnseen(): boolean {
    return this.#failures.some((failure) => !failure.seen)
  }

  main(): number {
    const { input, files } = this.#program
    const variables: Variable[] = files === undefined ? [good(input)] : [good(input), good(files)]
    return this.#block(this.#program.main, variables, '', 0)
  }

  triggered({ workflow, n, at }: Entered): number {
    return this.#block(this.#program.triggered[workflow] as Block, [good(n)], placeOfTriggered(at), 0)
  }

  #block(block: Block, outer: readonly Variable[], at: string, depth: number): number {
    const variables = [...outer]
    this.calls += block.steps.length
    for (const step of block.steps)
      variables[step.to] = this.#step(step, variables, `${at}/${step.site}`, depth)
    return hashOf(...block.result.flatMap((term) => numbers(this.#await(this.#term(term, variables)))))
  }

  #step(step: Step, variables: Variable[], at: string, depth: number): Variable {
    if (step.op === 'send' || step.op === 'trigger') return this.#left(step, at, variables)
    if (step.op === 'race' || step.op === 'within') return this.#first(step, at, variables)
    switch (step.op) {
      case 'call':
        return this.#call(
          step.task,
          step.equal ? '' : at,
          step.args.map((term) => this.#term(term, variables)),
        )
      case 'await':
        return good(this.#await(this.#term(step.of, variables)))
      case 'fan': {
        const shared = this.#term(step.shared, variables)
        return Array.from({ length: this.#count(step.count, variables) }, (_, i) =>
          this.#call(step.task, `${at}.${i}`, [good(i), shared]),
        )
      }
      case 'all':
        return together(variables[step.of] as readonly Outcome[])
      case 'settled':
        return this.#settled(variables[step.of] as readonly Outcome[])
      case 'filter': {
        const of = variables[step.of] as Outcome
        return of.ok ? good(numbers(of.value).filter(isKept)) : skipped([of])
      }
      case 'mapFiles':
        return this.#mapFiles(step, variables, at)
      case 'rows': {
        const of = variables[step.of] as Outcome
        return of.ok ? good(Object.values(of.value)) : skipped([of])
      }
      case 'outcomes': {
        const of = variables[step.of] as Outcome
        see(of)
        const { done, failed } = of.entries ?? { done: this.#await(of) as Entries['done'], failed: [] }
        return good(hashOf(...Object.values(done), ...failed.map(textHash)))
      }
      case 'keep': {
        const [of, by] = [variables[step.of] as Outcome, variables[step.by] as Outcome]
        if (!of.ok || !by.ok) return skipped([of, by].filter((got) => !got.ok))
        const isThere = ([name]: readonly [string, Plain]): boolean =>
          isKept((by.value as Record<string, number>)[name] ?? 1)
        return good(Object.fromEntries(Object.entries(of.value).filter(isThere)))
      }
      case 'arrivals':
        return this.#arrivals(step, variables, at)
      case 'read':
        return good(this.#oracle.files(at))
      case 'publish':
        return this.#published(variables[step.of] as Outcome, at)
      case 'now':
      case 'random':
      case 'receive':
        return good(this.#oracle.said(at))
      case 'ask':
        return good(answerOf(at))
      case 'throw':
        if (hashOf(...numbers(this.#await(this.#term(step.of, variables)))) % step.oneIn === 0)
          throw new Thrown(undefined)
        return good(0)
      default:
        return step.op === 'sleep' ? good(0) : this.#nested(step, variables, at, depth)
    }
  }

  /** Of several, or of one and a timer: all are awaited. */
  #first(
    step: Extract<Step, { op: 'race' | 'within' }>,
    at: string,
    variables: readonly Variable[],
  ): Outcome {
    const terms = step.op === 'race' ? step.of : [step.of]
    const all = terms.map((term) => one(this.#term(term, variables)))
    for (const got of all) see(got)
    const first = all[this.#oracle.first(at)]
    return good(first === undefined ? this.#oracle.said(at) : this.#await(first))
  }

  #nested(
    step: Extract<Step, { op: 'branches' | 'child' | 'stage' | 'try' | 'lambdas' | 'loop' | 'if' }>,
    variables: readonly Variable[],
    at: string,
    depth: number,
  ): Variable {
    switch (step.op) {
      case 'branches':
        return Array.from({ length: this.#count(step.count, variables) }, (_, i) => {
          const inside = [...variables]
          inside[step.item] = good(i)
          return this.#function(() => this.#block(step.body, inside, `${at}.${i}`, depth))
        })
      case 'child': {
        const arg = one(this.#term(step.arg, variables))
        if (!arg.ok) return skipped([arg])
        return this.#function(() => this.#child(step.child, arg.value, at, step.most))
      }
      case 'stage':
        return this.#function(() => this.#block(step.body, variables, at, depth))
      case 'try':
        try {
          return good(this.#block(step.body, variables, at, depth))
        } catch (error) {
          if (!(error instanceof Thrown)) throw error
          return good(hashOf(step.site))
        }
      case 'lambdas': {
        const ends = step.bodies.map((body, i) =>
          attempt(() => this.#block(body, variables, `${at}.${i}`, depth)),
        )
        const end = ends[this.#oracle.first(at)] as Thrown | number
        if (end instanceof Thrown) throw end
        return good(end)
      }
      case 'loop': {
        const inside = [...variables]
        let carry = 0
        const count = this.#count(step.count, variables)
        for (let i = 0; i < count; i++) {
          inside[step.carry] = good(carry)
          carry = this.#block(step.body, inside, `${at}.${i}`, depth)
        }
        return good(carry)
      }
      case 'if': {
        const isSo = hashOf(...numbers(this.#await(this.#term(step.of, variables)))) % 2 === 0
        return good(this.#block(isSo ? step.then : step.else, variables, at, depth))
      }
    }
  }

  /** It gives nothing that the program works on, but whether it could be made. */
  #left(
    step: Extract<Step, { op: 'send' | 'trigger' }>,
    at: string,
    variables: readonly Variable[],
  ): Outcome {
    if (step.op === 'trigger') this.calls += 5
    else if (typeof step.receiver === 'object') this.#await(variables[step.receiver.triggered] as Variable)
    const what = step.op === 'send' ? step.name : `workflow ${step.workflow}`
    const given = one(this.#term(step.of, variables))
    if (given.ok) this.left.push({ at, what, value: given.value })
    const got = given.ok ? good(0) : skipped([given])
    if (step.awaited) this.#await(got)
    return got
  }

  /** A child calls itself so often. */
  #child(child: number, arg: Plain, at: string, most: number): number {
    const value = this.#block(this.#program.children[child] as Block, [good(arg)], at, 0)
    if (most === 0 || value % 2 === 0) return value
    return hashOf(
      value,
      ...numbers(this.#await(this.#function(() => this.#child(child, value, `${at}>`, most - 1)))),
    )
  }

  #arrivals(step: Extract<Step, { op: 'arrivals' }>, variables: readonly Variable[], at: string): Outcome {
    const all = step.of.map((term) => one(this.#term(term, variables)))
    for (const got of all) see(got)
    let sum = good(0)
    for (let i = 0; i < all.length; i++) {
      const value = this.#await(all[this.#oracle.first(`${at}.${i}`)] as Outcome)
      sum = this.#call(step.task, `${at}.${i}`, [sum, good(value)])
    }
    return good(this.#await(sum))
  }

  #published(dir: Outcome, at: string): Outcome {
    this.#await(dir)
    return good(this.#oracle.said(at))
  }

  #mapFiles(step: Extract<Step, { op: 'mapFiles' }>, variables: readonly Variable[], at: string): Outcome {
    const of = variables[step.of] as Outcome
    const shared = one(this.#term(step.shared, variables))
    if (!of.ok || !shared.ok) return skipped([of, shared].filter((got) => !got.ok))
    const { meaning } = this.#program.codes[step.task] as { meaning: number }
    const done: Record<string, number> = {}
    const failed: string[] = []
    for (const [name, content] of Object.entries(of.value)) {
      this.calls++
      const value = taskValue(step.task, meaning, `${at} ${name}`, [content, shared.value])
      if (isDoomed(step.task, value)) failed.push(name)
      else done[name] = value
    }
    if (failed.length === 0) return good(done)
    const failure: Outcome = {
      ok: false,
      value: 0,
      because: [],
      isFailure: true,
      seen: false,
      entries: { done, failed },
    }
    this.#failures.push(failure)
    return failure
  }

  #call(task: number, tag: string, args: readonly Variable[]): Outcome {
    this.calls++
    const failed = args.flatMap((arg) => (isMany(arg) ? arg : [arg])).filter((arg) => !arg.ok)
    if (failed.length > 0) return skipped(failed)
    const { meaning } = this.#program.codes[task] as { meaning: number }
    const value = taskValue(task, meaning, tag, args.map(plain))
    const shape = shapes[task]
    if (!isDoomed(task, value)) return good(shape?.gives === 'pair' ? pairOf(value) : value)
    const isSkipped =
      shape?.options.onFailure === 'skip' ||
      (shape?.options.onFailure === 'pause' && verdictOf(value) === 'skip')
    return this.#failure(!isSkipped)
  }

  #failure(isFailure: boolean): Outcome {
    const failure: Outcome = { ok: false, value: 0, because: [], isFailure, seen: false }
    if (isFailure) this.#failures.push(failure)
    return failure
  }

  /** A function of its own: what it throws is the failure of its call. */
  #function(body: () => number): Outcome {
    const end = attempt(body)
    return end instanceof Thrown ? this.#failure(true) : good(end)
  }

  #settled(all: readonly Outcome[]): Outcome {
    for (const got of all) see(got)
    return good(hashOf(...all.flatMap((got) => (got.ok ? numbers(got.value) : [7]))))
  }

  #await(variable: Variable): Plain {
    const got = one(variable)
    see(got)
    if (!got.ok) throw new Thrown(got)
    return got.value
  }

  #term(term: Term, variables: readonly Variable[]): Variable {
    switch (term.kind) {
      case 'literal':
        return good(term.value)
      case 'variable':
        return variables[term.variable] as Variable
      case 'field': {
        const got = variables[term.variable] as Outcome
        return got.ok ? good((got.value as { a: number; b: number })[term.field]) : skipped([got])
      }
      case 'list':
        return together(term.items.map((item) => one(this.#term(item, variables))))
    }
  }

  #count(count: Count, variables: readonly Variable[]): number {
    return numbers(this.#await(this.#term(count.of, variables))).reduce((a, b) => a + b, 0) % (count.most + 1)
  }
}

/** What a person says to a failure that waits for judgement. */
export const verdictOf = (value: number): 'skip' | 'stop' => (hashOf(value, 5) % 2 === 0 ? 'skip' : 'stop')

/** What a person answers to the question that was put there. */
export const answerOf = (at: string): number => hashOf(textHash(at), 11)
