import { type Dataset, dataset } from '../../flow/dataset.ts'
import { isFuture } from '../../flow/future-target.ts'
import { all, map, type Settled, settled } from '../../flow/list.ts'
import { run } from '../../flow/run.ts'
import type { Schema } from '../../flow/schema.ts'
import { type Workflow, workflow } from '../../flow/workflow.ts'
import { isAlmanacError } from '../../model/errors.ts'
import type { DirRef } from '../../model/refs.ts'
import { mix, textNumber } from './mix.ts'
import { isKept, numbers, type Plain } from './model.ts'
import type { Block, Count, Program, Step, Term } from './program.ts'
import { type SimulatedTask, shapes, taskOf } from './shapes.ts'

/** What the functions of one life of a run tell of themselves. */
export interface Told {
  /** the function waits for an outcome */
  waits(future: unknown): void
  /** it goes on with one: of what, where, and the value or the error's text */
  given(future: unknown, at: string, outcome: unknown): void
  /** a number that no task gave */
  knows(value: Plain): void
  /** an effect is about to be called */
  acts(at: string): void
  /** of those that raced there, this one was first */
  first(at: string, index: number): void
  said(at: string, value: number): void
  /** the directory of that digest was read */
  saw(at: string, digest: string): void
  /** an error that no program can cause */
  strange(error: unknown): void
}

/** A program as its author would write it. */
export function authored(program: Program, told: Told): Workflow<RunInput, Plain> {
  return new Author(program, told).main()
}

/** What a program is given: a number, and the directory if it works on one. */
export interface RunInput {
  readonly n: number
  readonly dir?: unknown
}
/** Errors that belong to a program's life. */
const usual = ['ALM_TASK_FAILED', 'ALM_MAP_FAILED', 'ALM_UPSTREAM', 'ALM_CANCELLED', 'ALM_WORKFLOW_FAILED']

const thrown = 'the program says so'

interface ChildInput {
  readonly arg: Plain
  readonly at: string
  readonly child: number
  readonly most: number
}

/** A child as the programs use it. */
interface ChildWorkflow {
  (input: ChildInput): unknown
  key(key: string): (input: ChildInput) => unknown
}

type Future = PromiseLike<Plain>

/** What a map over a directory gives. */
interface Table {
  all(): PromiseLike<Plain>
  settled(): PromiseLike<{ readonly done: Table; readonly failed: Readonly<Record<string, unknown>> }>
}
type OpOf<O extends Step['op']> = Extract<Step, { readonly op: O }>

class Author {
  readonly #program: Program
  readonly #told: Told
  readonly #tasks: readonly SimulatedTask[]
  readonly #children: readonly ChildWorkflow[]

  constructor(program: Program, told: Told) {
    this.#program = program
    this.#told = told
    this.#tasks = program.codes.map(({ text }, shape) => taskOf(shape, text))
    const child = (input: unknown): Promise<number> => this.#child(input as ChildInput)
    this.#children = program.children.map(
      (_, i) => workflow(`child${i}`, child as () => Promise<number>) as unknown as ChildWorkflow,
    )
  }

  main(): Workflow<RunInput, Plain> {
    const main = (input: unknown): Promise<number> => {
      const { n, dir } = input as RunInput
      this.#told.knows(n)
      return this.#block(this.#program.main, dir === undefined ? [n] : [n, dir], '')
    }
    return workflow('simulated', main as () => Promise<number>) as unknown as Workflow<RunInput, Plain>
  }

  /** Variables hold values, futures, and arrays of futures; a block has its own beside those around it. */
  async #block(block: Block, outer: readonly unknown[], at: string): Promise<number> {
    const variables = [...outer]
    for (const step of block.steps) {
      const here = `${at}/${step.site}`
      if (!this.#begin(step, variables, here)) await this.#goOn(step, variables, here)
    }
    const result: number[] = []
    for (const [i, term] of block.result.entries())
      result.push(...numbers(await this.#known(term, variables, `${at}=${i}`)))
    return this.#mixed(...result)
  }

  /** Steps that only make calls. */
  #begin(step: Step, variables: unknown[], at: string): boolean {
    switch (step.op) {
      case 'call': {
        const args = step.args.map((term) => value(term, variables))
        variables[step.to] = this.#call(step.task, step.equal ? '' : at, args)
        return true
      }
      case 'all':
        variables[step.to] = all(variables[step.of])
        return true
      case 'filter':
        variables[step.to] = (
          variables[step.of] as { filter(keep: (item: number) => boolean): unknown }
        ).filter(isKept)
        return true
      case 'child': {
        const child = this.#children[step.child] as ChildWorkflow
        const input = { arg: value(step.arg, variables) as Plain, at, child: step.child, most: step.most }
        variables[step.to] = step.keyed ? child.key(at)(input) : child(input)
        return true
      }
      case 'mapFiles': {
        const shared = value(step.shared, variables)
        const options = { with: { tag: at, shared } }
        variables[step.to] = (this.#tasks[step.task] as SimulatedTask).map(variables[step.of], options)
        return true
      }
      case 'rows':
        variables[step.to] = (variables[step.of] as Table).all()
        return true
      case 'keep': {
        const dir = variables[step.of] as { filter(by: unknown, keep: (value: number) => boolean): unknown }
        variables[step.to] = dir.filter(variables[step.by], isKept)
        return true
      }
      case 'stage':
        variables[step.to] = run.stage(`stage${step.site}`, () => this.#block(step.body, variables, at))
        return true
      default:
        return false
    }
  }

  /** Steps that wait for something. */
  async #goOn(step: Step, variables: unknown[], at: string): Promise<void> {
    switch (step.op) {
      case 'await':
        variables[step.to] = await this.#known(step.of, variables, at)
        return
      case 'fan': {
        const count = await this.#count(step.count, variables, at)
        variables[step.to] = this.#fan(step, count, variables, at)
        return
      }
      case 'settled':
        variables[step.to] = await this.#settled(variables[step.of] as Future[], at)
        return
      case 'branches': {
        const items = Array.from({ length: await this.#count(step.count, variables, at) }, (_, i) => i)
        const body = (item: number): Promise<number> => {
          const inside = [...variables]
          inside[step.item] = item
          return this.#block(step.body, inside, `${at}.${item}`)
        }
        variables[step.to] = [
          ...map(items, body, step.keyed ? { key: (item) => `item ${item}`, name: `map${step.site}` } : {}),
        ]
        return
      }
      case 'outcomes':
        variables[step.to] = await this.#outcomes(variables[step.of] as Table, at)
        return
      case 'read': {
        const dir = dataset(step.dataset).read()
        variables[step.to] = dir
        this.#told.saw(at, ((await this.#take(dir, at)) as unknown as DirRef).digest)
        return
      }
      case 'race':
        variables[step.to] = await Promise.race(
          step.of.map((term, i) => this.#runner(() => this.#known(term, variables, `${at}.${i}`), at, i)),
        )
        return
      case 'lambdas':
        variables[step.to] = await Promise.race(
          step.bodies.map((body, i) => this.#runner(() => this.#block(body, variables, `${at}.${i}`), at, i)),
        )
        return
      case 'arrivals':
        variables[step.to] = await this.#arrivals(step, variables, at)
        return
      case 'try':
        variables[step.to] = await this.#try(step, variables, at)
        return
      case 'loop': {
        const count = await this.#count(step.count, variables, at)
        let carry = 0
        for (let i = 0; i < count; i++) {
          const inside = [...variables]
          inside[step.carry] = carry
          carry = await this.#block(step.body, inside, `${at}.${i}`)
        }
        variables[step.to] = carry
        return
      }
      case 'if': {
        const isSo = mix(...numbers(await this.#known(step.of, variables, at))) % 2 === 0
        variables[step.to] = await this.#block(isSo ? step.then : step.else, variables, at)
        return
      }
      default:
        variables[step.to] = await this.#ask(step, variables, at)
    }
  }

  async #outcomes(table: Table, at: string): Promise<number> {
    const { done, failed } = await this.#take(table.settled(), at)
    const values = await this.#take(done.all(), at)
    return this.#mixed(...numbers(values), ...Object.keys(failed).map(textNumber))
  }

  async #settled(futures: Future[], at: string): Promise<number> {
    const ends = (await this.#take(settled(futures) as unknown as Future, at)) as unknown as Settled<Plain>[]
    return this.#mixed(...ends.flatMap((end) => (end.ok ? numbers(end.value) : [7])))
  }

  /** Time, chance, people, datasets, and the program's own failures. */
  async #ask(step: Step, variables: readonly unknown[], at: string): Promise<Plain> {
    switch (step.op) {
      case 'now':
        return this.#said(at, (await this.#take(run.now(), at)).getTime())
      case 'random':
        return this.#said(at, Math.floor((await this.#take(run.random(), at)) * 2 ** 31))
      case 'sleep':
        await this.#take(run.sleep(step.ms), at)
        return 0
      case 'ask':
        return this.#take(run.ask(anyNumber, { title: at }) as unknown as Future, at)
      case 'publish': {
        const { dataset: name, upon } = step
        const future = dataset(name).publish(variables[step.of] as Parameters<Dataset['publish']>[0], {
          upon,
        })
        return this.#said(at, (await this.#take(future, at)).version)
      }
      case 'throw':
        if (mix(...numbers(await this.#known(step.of, variables, at))) % step.oneIn === 0)
          throw new Error(thrown)
        return 0
      default:
        throw new TypeError(`there is no step ${step.op}`)
    }
  }

  async #child({ arg, at, child, most }: ChildInput): Promise<number> {
    const given = await this.#block(this.#program.children[child] as Block, [arg], at)
    if (most === 0 || given % 2 === 0) return given
    const again = (this.#children[child] as ChildWorkflow)({
      arg: given,
      at: `${at}>`,
      child,
      most: most - 1,
    })
    return this.#mixed(given, ...numbers(await this.#take(again as Future, `${at}>`)))
  }

  #fan(step: OpOf<'fan'>, count: number, variables: readonly unknown[], at: string): unknown {
    const shared = value(step.shared, variables)
    const places = Array.from({ length: count }, (_, i) => i)
    if (shapes[step.task]?.options.effect === true) for (const i of places) this.#told.acts(`${at}.${i}`)
    // `task.map` gives each call one argument, in which futures are edges as anywhere
    if (step.mapped)
      return [...(this.#tasks[step.task] as SimulatedTask).map(places.map((i) => [`${at}.${i}`, i, shared]))]
    return places.map((i) => this.#call(step.task, `${at}.${i}`, [i, shared]))
  }

  async #arrivals(step: OpOf<'arrivals'>, variables: readonly unknown[], at: string): Promise<Plain> {
    const coming = new Map<number, Promise<{ readonly index: number; readonly got: Plain | Caught }>>()
    for (const [index, term] of step.of.entries()) {
      const got = this.#known(term, variables, `${at}.${index}`).catch((error: unknown) => new Caught(error))
      coming.set(
        index,
        got.then((end) => ({ index, got: end })),
      )
    }
    let sum: unknown = 0
    for (let i = 0; coming.size > 0; i++) {
      const { index, got } = await Promise.race(coming.values())
      coming.delete(index)
      this.#told.first(`${at}.${i}`, index)
      if (got instanceof Caught) throw got.error
      sum = this.#call(step.task, `${at}.${i}`, [sum, got])
    }
    return this.#take(sum as Future, at)
  }

  async #try(step: OpOf<'try'>, variables: readonly unknown[], at: string): Promise<Plain> {
    try {
      return await this.#block(step.body, variables, at)
    } catch (error) {
      const isUsual = isAlmanacError(error)
        ? usual.includes(error.code)
        : error instanceof Error && error.message === thrown
      if (!isUsual) this.#told.strange(error)
      return this.#mixed(step.site)
    }
  }

  async #runner(body: () => Promise<Plain>, at: string, index: number): Promise<Plain> {
    try {
      return await body()
    } finally {
      this.#told.first(at, index)
    }
  }

  #call(task: number, tag: string, args: readonly unknown[]): unknown {
    if (shapes[task]?.options.effect === true) this.#told.acts(tag)
    return (this.#tasks[task] as SimulatedTask)(tag, ...args)
  }

  async #count(count: Count, variables: readonly unknown[], at: string): Promise<number> {
    const of = numbers(await this.#known(count.of, variables, `${at}?`))
    return of.reduce((a, b) => a + b, 0) % (count.most + 1)
  }

  async #known(term: Term, variables: readonly unknown[], at: string): Promise<Plain> {
    const found = value(term, variables)
    if (isFuture(found)) return this.#take(found as Future, at)
    if (Array.isArray(found) && hasFuture(found)) return this.#take(all(found) as unknown as Future, at)
    return found as Plain
  }

  async #take<T>(future: PromiseLike<T>, at: string): Promise<T> {
    this.#told.waits(future)
    try {
      const got = await future
      this.#told.given(future, at, got)
      return got
    } catch (error) {
      this.#told.given(future, at, (error as Error).message)
      throw error
    }
  }

  #said(at: string, said: number): number {
    this.#told.said(at, said)
    this.#told.knows(said)
    return said
  }

  #mixed(...of: readonly number[]): number {
    const mixed = mix(...of)
    this.#told.knows(mixed)
    return mixed
  }
}

/** A failure that waits to be looked at. */
class Caught {
  readonly error: unknown
  constructor(error: unknown) {
    this.error = error
  }
}

/** What a term stands for, as it is passed to a call. */
function value(term: Term, variables: readonly unknown[]): unknown {
  switch (term.kind) {
    case 'literal':
      return term.value
    case 'variable':
      return variables[term.variable]
    case 'field':
      return (variables[term.variable] as { readonly a: unknown; readonly b: unknown })[term.field]
    case 'list':
      return term.items.map((item) => value(item, variables))
  }
}

const hasFuture = (values: readonly unknown[]): boolean =>
  values.some((item) => isFuture(item) || (Array.isArray(item) && hasFuture(item)))

/** A schema that a person's slip does not fit. */
const anyNumber: Schema<number> = {
  '~standard': {
    version: 1,
    vendor: 'simulation',
    validate: (given) =>
      typeof given === 'number' ? { value: given } : { issues: [{ message: 'it is no number' }] },
  },
}
