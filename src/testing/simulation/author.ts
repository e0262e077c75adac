import { requireCaller } from '../../flow/ambient.ts'
import { type Dataset, dataset } from '../../flow/dataset.ts'
import { futureTarget, isFuture } from '../../flow/future-target.ts'
import { all, map, type Settled, settled } from '../../flow/list.ts'
import { run } from '../../flow/run.ts'
import type { TriggeredRun } from '../../flow/trigger.ts'
import { type Workflow, workflow } from '../../flow/workflow.ts'
import { isAlmanacError } from '../../model/errors.ts'
import type { DirRef } from '../../model/refs.ts'
import type { FunctionListener, RunListeners } from './function-listener.ts'
import { hashOf, textHash } from './hashes.ts'
import type { ChildInput, ChildWorkflow, RunInput, TriggeredInput, TriggeredWorkflow } from './inputs.ts'
import { isKept, numbers, type Plain, placeOfTriggered } from './model.ts'
import { Caught } from './outcome.ts'
import { type Block, type Count, mainRun, type Program, type Step, type Term } from './program.ts'
import { aMessage, anyNumber } from './schemas.ts'
import { type SimulatedTask, shapes, taskOf } from './shapes.ts'
import { hasFuture, termValue } from './term-value.ts'

/** A program as its author would write it. */
export function authored(program: Program, listeners: RunListeners): Workflow<RunInput, Plain> {
  const workflows = workflowsOf(program, listeners)
  const main = ({ n, dir }: RunInput): Promise<number> =>
    new Author(program, listeners.main, workflows).main(dir === undefined ? [n] : [n, dir])
  return named('simulated', main)
}

/** A workflow of it that runs trigger. */
export const authoredTriggered = (
  program: Program,
  index: number,
  listeners: RunListeners,
): TriggeredWorkflow => workflowsOf(program, listeners).triggered[index] as TriggeredWorkflow

/** What it calls and triggers. Tasks and workflows are made outside of functions. */
interface Workflows {
  readonly tasks: readonly SimulatedTask[]
  readonly children: readonly ChildWorkflow[]
  readonly triggered: readonly TriggeredWorkflow[]
}

function workflowsOf(program: Program, listeners: RunListeners): Workflows {
  const workflows: Workflows = {
    tasks: program.codes.map(({ text }, shape) => taskOf(shape, text)),
    children: program.children.map((_, i) =>
      named(`child${i}`, (input: ChildInput) => new Author(program, listeners.main, workflows).child(input)),
    ),
    triggered: program.triggered.map((_, i) =>
      named(`triggered${i}`, (input: TriggeredInput) => {
        const listener = listeners.triggered(requireCaller('simulated').run, program)
        return new Author(program, listener, workflows).triggered(i, input)
      }),
    ),
  }
  return workflows
}

const named = <W>(name: string, fn: (input: never) => Promise<number>): W =>
  workflow(name, fn as () => Promise<number>) as unknown as W

/** Errors that belong to a program's life. */
const usual = ['ALM_TASK_FAILED', 'ALM_MAP_FAILED', 'ALM_UPSTREAM', 'ALM_CANCELLED', 'ALM_WORKFLOW_FAILED']

const thrown = 'the program says so'

type Future = PromiseLike<Plain>

/** What a map over a directory gives. */
interface Table {
  all(): PromiseLike<Plain>
  settled(): PromiseLike<{ readonly done: Table; readonly failed: Readonly<Record<string, unknown>> }>
}
type OpOf<O extends Step['op']> = Extract<Step, { readonly op: O }>

class Author {
  readonly #program: Program
  readonly #listener: FunctionListener
  readonly #tasks: readonly SimulatedTask[]
  readonly #children: readonly ChildWorkflow[]
  readonly #triggered: readonly TriggeredWorkflow[]

  constructor(program: Program, listener: FunctionListener, { tasks, children, triggered }: Workflows) {
    this.#program = program
    this.#listener = listener
    this.#tasks = tasks
    this.#children = children
    this.#triggered = triggered
  }

  main(given: readonly unknown[]): Promise<number> {
    this.#listener.knows(given[0] as number)
    return this.#block(this.#program.main, given, '')
  }

  triggered(index: number, { n, at }: TriggeredInput): Promise<number> {
    this.#listener.knows(n)
    return this.#block(this.#program.triggered[index] as Block, [n], placeOfTriggered(at))
  }

  /** Variables hold values, futures, and arrays of futures; a block has its own beside those around it. */
  async #block(block: Block, outer: readonly unknown[], at: string): Promise<number> {
    const variables = [...outer]
    for (const step of block.steps) {
      const here = `${at}/${step.site}`
      if (step.op === 'send') await this.#send(step, variables, here)
      else if (step.op === 'trigger') await this.#trigger(step, variables, here)
      else if (!this.#begin(step, variables, here)) await this.#goOn(step, variables, here)
    }
    const result: number[] = []
    for (const [i, term] of block.result.entries())
      result.push(...numbers(await this.#known(term, variables, `${at}=${i}`)))
    return this.#hash(...result)
  }

  /** Steps that only make calls. */
  #begin(step: Step, variables: unknown[], at: string): boolean {
    switch (step.op) {
      case 'call': {
        const args = step.args.map((term) => termValue(term, variables))
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
        const input = { arg: termValue(step.arg, variables) as Plain, at, child: step.child, most: step.most }
        variables[step.to] = step.keyed ? child.key(at)(input) : child(input)
        return true
      }
      case 'mapFiles': {
        const shared = termValue(step.shared, variables)
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
        this.#listener.saw(at, ((await this.#take(dir, at)) as unknown as DirRef).digest)
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
        const isSo = hashOf(...numbers(await this.#known(step.of, variables, at))) % 2 === 0
        variables[step.to] = await this.#block(isSo ? step.then : step.else, variables, at)
        return
      }
      default:
        variables[step.to] = await this.#ask(step, variables, at)
    }
  }

  /** As `asyncio.wait_for` does it. */
  async #within({ of, ms }: OpOf<'within'>, variables: readonly unknown[], at: string): Promise<Plain> {
    const caller = requireCaller('simulated')
    const timer = caller.call({ kind: 'timer', name: 'timer' }, { ms })
    const late = new Promise<number>((resolve) => {
      const rang = (_: unknown, time: number): void => {
        this.#listener.given({ [futureTarget]: { caller, call: timer, path: [] } }, at, time)
        resolve(time)
      }
      caller.outcome(timer, [], rang, () => undefined)
    })
    try {
      return await Promise.race([
        this.#runner(() => this.#known(of, variables, at), at, 0),
        this.#runner(async () => this.#said(at, await late), at, 1),
      ])
    } finally {
      caller.withdraw(timer)
    }
  }

  async #outcomes(table: Table, at: string): Promise<number> {
    const { done, failed } = await this.#take(table.settled(), at)
    const values = await this.#take(done.all(), at)
    return this.#hash(...numbers(values), ...Object.keys(failed).map(textHash))
  }

  async #settled(futures: Future[], at: string): Promise<number> {
    const ends = (await this.#take(settled(futures) as unknown as Future, at)) as unknown as Settled<Plain>[]
    return this.#hash(...ends.flatMap((end) => (end.ok ? numbers(end.value) : [7])))
  }

  /** Time, chance, people, datasets, and the program's own failures. */
  async #ask(step: Step, variables: readonly unknown[], at: string): Promise<Plain> {
    switch (step.op) {
      case 'now':
        return this.#said(at, (await this.#take(run.now(), at)).getTime())
      case 'random':
        return this.#said(at, Math.floor((await this.#take(run.random(), at)) * 2 ** 31))
      case 'receive':
        return this.#receive(step, at)
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
      case 'within':
        return this.#within(step, variables, at)
      case 'throw':
        if (hashOf(...numbers(await this.#known(step.of, variables, at))) % step.oneIn === 0)
          throw new Error(thrown)
        return 0
      default:
        throw new TypeError(`there is no step ${step.op}`)
    }
  }

  async #receive({ name, keyed }: OpOf<'receive'>, at: string): Promise<number> {
    const got = await this.#take(run.receive(name, aMessage, keyed ? { key: at } : {}), at)
    const number = typeof got === 'number' ? got : this.#hash(textHash(got.at), ...numbers(got.value))
    this.#listener.received(at, number)
    return number
  }

  async #send(step: OpOf<'send'>, variables: readonly unknown[], at: string): Promise<void> {
    const { receiver } = step
    let to = receiver === 'itself' ? requireCaller('simulated').run : mainRun
    if (typeof receiver === 'object')
      to = (await this.#take(variables[receiver.triggered] as PromiseLike<TriggeredRun>, at)).id
    const letter = { at, value: termValue(step.of, variables) }
    const sent = run.send(step.name, letter, receiver === 'nobody' ? {} : { to })
    if (step.awaited) await this.#take(sent, at)
  }

  async #trigger(step: OpOf<'trigger'>, variables: unknown[], at: string): Promise<void> {
    const input = { n: termValue(step.of, variables) as Plain, at }
    const triggered = run.trigger(this.#triggered[step.workflow] as TriggeredWorkflow, input)
    variables[step.to] = triggered
    if (step.awaited) await this.#take(triggered, at)
  }

  async child({ arg, at, child, most }: ChildInput): Promise<number> {
    const given = await this.#block(this.#program.children[child] as Block, [arg], at)
    if (most === 0 || given % 2 === 0) return given
    const again = (this.#children[child] as ChildWorkflow)({
      arg: given,
      at: `${at}>`,
      child,
      most: most - 1,
    })
    return this.#hash(given, ...numbers(await this.#take(again as Future, `${at}>`)))
  }

  #fan(step: OpOf<'fan'>, count: number, variables: readonly unknown[], at: string): unknown {
    const shared = termValue(step.shared, variables)
    const places = Array.from({ length: count }, (_, i) => i)
    if (shapes[step.task]?.options.effect === true) for (const i of places) this.#listener.acts(`${at}.${i}`)
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
      this.#listener.first(`${at}.${i}`, index)
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
      if (!isUsual) this.#listener.strange(error)
      return this.#hash(step.site)
    }
  }

  async #runner(body: () => Promise<Plain>, at: string, index: number): Promise<Plain> {
    try {
      return await body()
    } finally {
      this.#listener.first(at, index)
    }
  }

  #call(task: number, tag: string, args: readonly unknown[]): unknown {
    if (shapes[task]?.options.effect === true) this.#listener.acts(tag)
    return (this.#tasks[task] as SimulatedTask)(tag, ...args)
  }

  async #count(count: Count, variables: readonly unknown[], at: string): Promise<number> {
    const of = numbers(await this.#known(count.of, variables, `${at}?`))
    return of.reduce((a, b) => a + b, 0) % (count.most + 1)
  }

  async #known(term: Term, variables: readonly unknown[], at: string): Promise<Plain> {
    const found = termValue(term, variables)
    if (isFuture(found)) return this.#take(found as Future, at)
    if (Array.isArray(found) && hasFuture(found)) return this.#take(all(found) as unknown as Future, at)
    return found as Plain
  }

  async #take<T>(future: PromiseLike<T>, at: string): Promise<T> {
    this.#listener.waits(future)
    try {
      const got = await future
      this.#listener.given(future, at, got)
      return got
    } catch (error) {
      this.#listener.given(future, at, (error as Error).message)
      throw error
    }
  }

  #said(at: string, said: number): number {
    this.#listener.said(at, said)
    this.#listener.knows(said)
    return said
  }

  #hash(...of: readonly number[]): number {
    const hash = hashOf(...of)
    this.#listener.knows(hash)
    return hash
  }
}
