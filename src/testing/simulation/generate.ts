import type { SeededChance } from '../seeded-chance.ts'
import { callsOf } from './model.ts'
import type { Block, Count, Program, Receiver, Step, Term } from './program.ts'
import { type Shape, shapes } from './shapes.ts'
import { datasetNames } from './versions.ts'

/** What a variable holds. */
type Kind = 'known' | 'number' | 'pair' | 'array' | 'list' | 'held' | 'dir' | 'table' | 'run'

interface Variable {
  readonly variable: number
  readonly kind: Kind
  /** fails while the world is out of order: nobody may catch that, or it would be remembered */
  readonly isShaky: boolean
}

/** Where a step stands. */
interface Scope {
  readonly variables: Variable[]
  /** whoever waits for what happens here goes on when it fails */
  readonly isCaught: boolean
  /** what is thrown here reaches a `try` */
  readonly mayThrow: boolean
  readonly depth: number
  /** the first of the workflows that may be triggered here */
  readonly triggers: number
  readonly isTriggered: boolean
}

type Op = Step['op'] | 'risk'
type Nested = 'branches' | 'stage' | 'try' | 'lambdas' | 'loop' | 'if'

/** How likely each step is; each program leaves some out, so that others come in great number. */
const weights: Readonly<Record<Op, number>> = {
  call: 30,
  await: 12,
  fan: 6,
  all: 5,
  settled: 3,
  filter: 2,
  branches: 5,
  child: 5,
  stage: 2,
  try: 4,
  race: 5,
  within: 3,
  lambdas: 3,
  arrivals: 4,
  loop: 5,
  if: 5,
  now: 1,
  random: 2,
  sleep: 2,
  ask: 2,
  throw: 2,
  risk: 5,
  mapFiles: 10,
  rows: 6,
  outcomes: 4,
  keep: 4,
  read: 4,
  publish: 5,
  receive: 3,
  send: 5,
  trigger: 3,
}

/** What triggered runs leave out: people, directories, and what others may make fail. */
const ofMain: ReadonlySet<Op> = new Set([
  'ask',
  'child',
  'risk',
  'mapFiles',
  'rows',
  'outcomes',
  'keep',
  'read',
  'publish',
])

export const messageNames = ['m0', 'm1'] as const

/** Done alike whatever else goes on in the world. */
const isSelfContained = (task: number): boolean => {
  const { options, gives, outage } = shapes[task] as Shape
  return gives !== 'held' && outage !== true && options.limits === undefined && options.onFailure !== 'pause'
}

const isRisky = (task: number): boolean =>
  shapes[task]?.failsOneIn !== undefined && shapes[task]?.cured !== true

/** A random program of about so many calls. */
export function generateProgram(chance: SeededChance, calls: number): Program {
  for (;;) {
    const program = new Generator(chance, calls).program()
    // loops in loops: a few would take the time of hundreds
    if (callsOf(program) <= 2.5 * calls) return program
  }
}

class Generator {
  readonly #chance: SeededChance
  readonly #ops: Op[] = []
  readonly #tasks: readonly number[]
  readonly #children: Block[] = []
  /** how many can be triggered */
  #triggered = 0
  readonly #calls: number
  /** lets failures go where nobody looks: most such programs fail */
  readonly #isCareless: boolean
  #site = 0
  #variable = 0

  constructor(chance: SeededChance, calls: number) {
    this.#chance = chance
    this.#calls = calls
    for (const op of Object.keys(weights) as Op[]) {
      if (op !== 'call' && op !== 'await' && chance.number() < 0.35) continue
      for (let i = 0; i < weights[op]; i++) this.#ops.push(op)
    }
    this.#tasks = shapes.map((_, index) => index).filter((index) => index === 0 || chance.number() < 0.6)
    this.#isCareless = chance.number() < 0.04
  }

  program(): Program {
    const children = this.#ops.includes('child') ? 1 + this.#chance.below(3) : 0
    this.#triggered = this.#ops.includes('trigger') ? 1 + this.#chance.below(2) : 0
    const share = Math.ceil(this.#calls / 12)
    for (let i = 0; i < children; i++)
      this.#children.push(this.#function(share, { isCaught: true, triggers: this.#triggered }))
    const triggered = Array.from({ length: this.#triggered }, (_, i) =>
      this.#function(share, { isTriggered: true, triggers: i + 1 }),
    )
    const files = this.#ops.includes('mapFiles') ? this.#files() : undefined
    const main = this.#function(this.#calls, {}, files !== undefined)
    return {
      main,
      children: this.#children,
      triggered,
      receives: this.#ops.includes('receive'),
      codes: shapes.map(() => ({ text: 0, meaning: 0 })),
      input: this.#chance.below(1000),
      files,
    }
  }

  #files(): Record<string, number> {
    const count = this.#chance.below(7)
    return Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}.txt`, this.#chance.below(1000)]))
  }

  #function(calls: number, where: Partial<Scope>, hasFiles = false): Block {
    const variables: Variable[] = [{ variable: 0, kind: 'known', isShaky: false }]
    if (hasFiles) variables.push({ variable: 1, kind: 'dir', isShaky: false })
    this.#variable = variables.length
    const usual = { isCaught: false, mayThrow: false, depth: 0, triggers: 0, isTriggered: false }
    return this.#block({ ...usual, ...where, variables }, calls)
  }

  /** Steps for about so many calls. */
  #block(outer: Scope, calls: number): Block {
    const scope: Scope = { ...outer, variables: [...outer.variables], depth: outer.depth + 1 }
    const steps: Step[] = []
    let left = calls
    while (left > 0 && steps.length < 60) left -= this.#step(scope, steps, left)
    return { steps, result: this.#terms(scope, 1 + this.#chance.below(3)) }
  }

  /** Adds a step, and says how many calls it is expected to make. */
  #step(scope: Scope, steps: Step[], left: number): number {
    const op = this.#chance.pick(this.#ops)
    if (scope.isTriggered && ofMain.has(op)) return 0
    if (op === 'receive' || op === 'send' || op === 'trigger') return this.#outside(op, scope, steps)
    switch (op) {
      case 'call':
        return this.#call(scope, steps)
      case 'fan':
        return this.#fan(scope, steps)
      case 'await':
      case 'all':
      case 'settled':
      case 'filter':
        return this.#derive(op, scope, steps)
      case 'race':
      case 'arrivals':
        return this.#first(op, scope, steps, this.#some(scope, 2 + this.#chance.below(4)))
      case 'within': {
        const [of] = this.#some(scope, 1)
        if (of === undefined) return this.#call(scope, steps)
        steps.push({ ...this.#next(scope, 'known'), op, of, ms: this.#chance.below(1500) })
        return 1
      }
      case 'now':
      case 'random':
      case 'ask':
        steps.push({ ...this.#next(scope, 'known'), op })
        return 1
      case 'sleep':
        steps.push({ ...this.#next(scope, 'known'), op, ms: this.#chance.below(1500) })
        return 1
      case 'child':
        return this.#child(scope, steps)
      case 'read':
        steps.push({ ...this.#next(scope, 'dir'), op, dataset: this.#chance.pick(datasetNames) })
        return 1
      case 'publish':
        return this.#publish(scope, steps)
      case 'throw': {
        if (!scope.mayThrow && !this.#isCareless && !scope.isTriggered) return 0
        const of = this.#known(scope, steps)
        steps.push({ ...this.#next(scope, 'known'), op, of, oneIn: 3 })
        return 0
      }
      case 'risk':
        return this.#risk(scope, steps)
      case 'mapFiles':
      case 'rows':
      case 'outcomes':
      case 'keep':
        return this.#ofFiles(op, scope, steps)
      default:
        return scope.depth > 3 || left < 3 ? this.#call(scope, steps) : this.#nested(op, scope, steps, left)
    }
  }

  #call(scope: Scope, steps: Step[], task = this.#task(scope)): number {
    const shape = shapes[task]
    const args = this.#terms(scope, this.#chance.below(4))
    // what is held is for other tasks: a function cannot look into it
    const held = scope.variables.filter(({ kind }) => kind === 'held')
    if (held.length > 0 && this.#chance.number() < 0.5) {
      args.push({ kind: 'variable', variable: this.#chance.pick(held).variable })
    }
    const isPlain = shape?.options.effect !== true && shape?.flaky === undefined && shape?.cured !== true
    const equal = isPlain && this.#chance.number() < 0.15
    const isShaky = shape?.outage === true || args.some((term) => this.#isShaky(scope, term))
    steps.push({
      ...this.#next(scope, shape?.gives ?? 'number', isShaky),
      op: 'call',
      task,
      args,
      equal,
    })
    return 1
  }

  #fan(scope: Scope, steps: Step[], task = this.#task(scope, 'number')): number {
    const count = this.#count(scope, steps, 8)
    const shared = this.#term(scope)
    const isShaky = shapes[task]?.outage === true || this.#isShaky(scope, shared)
    steps.push({
      ...this.#next(scope, 'array', isShaky),
      op: 'fan',
      task,
      count,
      shared,
      mapped: this.#chance.number() < 0.5,
    })
    return 4
  }

  #derive(op: 'await' | 'all' | 'settled' | 'filter', scope: Scope, steps: Step[]): number {
    const wanted =
      op === 'filter' ? ['list'] : op === 'await' ? ['number', 'pair', 'array', 'list'] : ['array']
    const found = scope.variables.filter(
      ({ kind, isShaky }) => wanted.includes(kind) && !(op === 'settled' && isShaky),
    )
    if (found.length === 0) return op === 'await' ? this.#call(scope, steps) : 0
    const { variable, kind, isShaky } = this.#chance.pick(found)
    if (op === 'await') {
      steps.push({
        ...this.#next(scope, kind === 'pair' ? 'pair' : 'known'),
        op,
        of: { kind: 'variable', variable },
      })
      return 0
    }
    steps.push({ ...this.#next(scope, op === 'settled' ? 'known' : 'list', isShaky), op, of: variable })
    return 1
  }

  /** Several futures. */
  #some(scope: Scope, most: number): Term[] {
    const found = scope.variables.filter(({ kind, isShaky }) => kind === 'number' && !isShaky)
    const some = new Set<number>()
    for (let i = 0; i < most && found.length > 0; i++) some.add(this.#chance.pick(found).variable)
    return [...some].map((variable) => ({ kind: 'variable', variable }))
  }

  #first(op: 'race' | 'arrivals', scope: Scope, steps: Step[], of: readonly Term[]): number {
    if (of.length < 2) return this.#call(scope, steps)
    if (op === 'race') steps.push({ ...this.#next(scope, 'known'), op, of })
    else
      steps.push({
        ...this.#next(scope, 'known'),
        op,
        of,
        task: this.#task({ ...scope, isCaught: true }, 'number'),
      })
    return op === 'race' ? 0 : of.length
  }

  #child(scope: Scope, steps: Step[]): number {
    if (this.#children.length === 0) return this.#call(scope, steps)
    const child = this.#chance.below(this.#children.length)
    const arg = this.#term(scope)
    const most = this.#chance.below(3)
    steps.push({
      ...this.#next(scope, 'number', this.#isShaky(scope, arg)),
      op: 'child',
      child,
      arg,
      keyed: this.#chance.number() < 0.5,
      most,
    })
    return 8
  }

  /** Messages, and runs that are triggered. */
  #outside(op: 'receive' | 'send' | 'trigger', scope: Scope, steps: Step[]): number {
    const name = this.#chance.pick(messageNames)
    if (op === 'receive') {
      // where functions of one caller go on beside each other, each waits by a key of its own
      const keyed = this.#ops.includes('lambdas') || this.#chance.number() < 0.5
      steps.push({ ...this.#next(scope, 'known'), op, name, keyed })
      return 1
    }
    const of = this.#term(scope)
    const awaited = this.#chance.number() < 0.6
    const isShaky = this.#isShaky(scope, of)
    if (op === 'trigger') {
      if (scope.triggers === this.#triggered) return 0
      const workflow = scope.triggers + this.#chance.below(this.#triggered - scope.triggers)
      steps.push({ ...this.#next(scope, 'run', isShaky), op, workflow, of, awaited })
      return 6
    }
    const runs = scope.variables.filter(({ kind }) => kind === 'run')
    const receivers: Receiver[] = ['nobody', 'itself', 'main']
    if (runs.length > 0) receivers.push({ triggered: this.#chance.pick(runs).variable })
    const made = { site: ++this.#site, to: this.#variable++ }
    steps.push({ ...made, op, name, of, awaited, receiver: this.#chance.pick(receivers) })
    return 1
  }

  /** Another process may publish before it does: a person then has the run go on, so nobody may catch that. */
  #publish(scope: Scope, steps: Step[]): number {
    const dirs = scope.variables.filter(({ kind }) => kind === 'dir')
    if (scope.isCaught || dirs.length === 0) return 0
    const { variable: of } = this.#chance.pick(dirs)
    const upon = this.#chance.number() < 0.8 ? 'seen' : 'newest'
    steps.push({
      ...this.#next(scope, 'known'),
      op: 'publish',
      dataset: this.#chance.pick(datasetNames),
      of,
      upon,
    })
    return 2
  }

  #ofFiles(op: 'mapFiles' | 'rows' | 'outcomes' | 'keep', scope: Scope, steps: Step[]): number {
    const dirs = scope.variables.filter(({ kind }) => kind === 'dir')
    const tables = scope.variables.filter(
      ({ kind, isShaky }) => kind === 'table' && !(op === 'outcomes' && isShaky),
    )
    if (op === 'mapFiles') {
      if (dirs.length === 0) return 0
      const of = this.#chance.pick(dirs)
      const isLooked = this.#chance.number() < 0.3
      const tasks = this.#tasks.filter((task) => shapes[task]?.gives === 'number' && isRisky(task))
      const task = isLooked && tasks.length > 0 ? this.#chance.pick(tasks) : this.#task(scope, 'number')
      const shared = this.#term(scope)
      const isShaky = shapes[task]?.outage === true || of.isShaky || this.#isShaky(scope, shared)
      if (isRisky(task) && isShaky) return 0
      const made = this.#next(scope, 'table', isShaky)
      steps.push({ ...made, op, of: of.variable, task, shared })
      if (!isRisky(task)) return 3
      // whatever else is made of it may fail with it
      scope.variables.pop()
      steps.push({ ...this.#next(scope, 'known'), op: 'outcomes', of: made.to })
      return 4
    }
    if (tables.length === 0 || dirs.length === 0) return 0
    const table = this.#chance.pick(tables)
    if (op === 'keep') {
      const of = this.#chance.pick(dirs)
      steps.push({
        ...this.#next(scope, 'dir', table.isShaky || of.isShaky),
        op,
        of: of.variable,
        by: table.variable,
      })
    } else if (op === 'rows')
      steps.push({ ...this.#next(scope, 'list', table.isShaky), op, of: table.variable })
    else steps.push({ ...this.#next(scope, 'known'), op, of: table.variable })
    return 1
  }

  /** What may fail, where somebody looks at it. */
  #risk(scope: Scope, steps: Step[]): number {
    const risky = this.#tasks.filter((task) => isRisky(task) && shapes[task]?.gives === 'number')
    if (risky.length === 0) return this.#call(scope, steps)
    const task = this.#chance.pick(risky)
    if (this.#chance.number() < 0.3) {
      const cost = this.#fan({ ...scope, isCaught: true }, steps, task)
      const { to } = steps.at(-1) as Step
      if (this.#isShaky(scope, { kind: 'variable', variable: to })) return cost
      steps.push({ ...this.#next(scope, 'known'), op: 'settled', of: to })
      return cost + 1
    }
    const inside = this.#inside(scope, { isCaught: true, mayThrow: true })
    const body: Step[] = []
    this.#call(inside, body, task)
    const { to } = body.at(-1) as Step
    let cost = 1
    if (this.#chance.number() < 0.5) cost += this.#call(inside, body)
    if (this.#chance.number() < 0.4) {
      const others = this.#some(inside, 2).filter((term) => term.kind === 'variable' && term.variable !== to)
      cost += this.#first(this.#chance.pick(['race', 'arrivals']), inside, body, [
        { kind: 'variable', variable: to },
        ...others,
      ])
    }
    // the last one may depend on it: then it is skipped, and says so
    const last = (body.at(-1) as Step).to
    const result: Term[] = [last, to].map((variable) => ({ kind: 'variable', variable }))
    steps.push({ ...this.#next(scope, 'known'), op: 'try', body: { steps: body, result } })
    return cost
  }

  #nested(op: Nested, scope: Scope, steps: Step[], left: number): number {
    const share = Math.max(1, Math.floor(left / (2 + this.#chance.below(3))))
    switch (op) {
      case 'branches': {
        const count = this.#count(scope, steps, 5)
        const item = this.#variable++
        const body = this.#block(this.#inside(scope, { mayThrow: false }, item), Math.ceil(share / 3))
        steps.push({
          ...this.#next(scope, 'array', !scope.isCaught),
          op,
          count,
          item,
          body,
          keyed: this.#chance.number() < 0.5,
        })
        return share
      }
      case 'stage': {
        const body = this.#block(this.#inside(scope, { mayThrow: false }), share)
        steps.push({ ...this.#next(scope, 'number', !scope.isCaught), op, body })
        return share
      }
      case 'try': {
        const body = this.#block(this.#inside(scope, { isCaught: true, mayThrow: true }), share)
        steps.push({ ...this.#next(scope, 'known'), op, body })
        return share
      }
      case 'lambdas': {
        const inside = this.#inside(scope, { isCaught: true })
        const bodies = Array.from({ length: 2 + this.#chance.below(2) }, () =>
          this.#block(inside, Math.ceil(share / 3)),
        )
        steps.push({ ...this.#next(scope, 'known'), op, bodies })
        return share
      }
      case 'loop': {
        const count = this.#count(scope, steps, 4)
        const carry = this.#variable++
        const body = this.#block(this.#inside(scope, {}, carry), Math.ceil(share / 2))
        steps.push({ ...this.#next(scope, 'known'), op, count, carry, body })
        return share
      }
      case 'if': {
        const of = this.#known(scope, steps)
        const then = this.#block(this.#inside(scope, {}), share)
        const otherwise = this.#block(this.#inside(scope, {}), share)
        steps.push({ ...this.#next(scope, 'known'), op, of, then, else: otherwise })
        return share
      }
    }
  }

  #inside(scope: Scope, more: Partial<Scope>, known?: number): Scope {
    const variables =
      more.isCaught === true ? scope.variables.filter(({ isShaky }) => !isShaky) : [...scope.variables]
    if (known !== undefined) variables.push({ variable: known, kind: 'known', isShaky: false })
    return { ...scope, ...more, variables }
  }

  #next(scope: Scope, kind: Kind, isShaky = false): { readonly site: number; readonly to: number } {
    const to = this.#variable++
    scope.variables.push({ variable: to, kind, isShaky })
    return { site: ++this.#site, to }
  }

  /** A value that the function knows; a step may be added for it. */
  #known(scope: Scope, steps: Step[]): Term {
    const unknown = scope.variables.filter(({ kind }) => kind === 'number')
    if (unknown.length > 0 && this.#chance.number() < 0.5) {
      const { variable } = this.#chance.pick(unknown)
      steps.push({ ...this.#next(scope, 'known'), op: 'await', of: { kind: 'variable', variable } })
    }
    const known = scope.variables.filter(({ kind }) => kind === 'known')
    return { kind: 'variable', variable: (known.at(-1) as Variable).variable }
  }

  #count(scope: Scope, steps: Step[], most: number): Count {
    return { of: this.#known(scope, steps), most: 1 + this.#chance.below(most) }
  }

  #task(scope: Scope, gives?: 'number'): number {
    const fitting = this.#tasks.filter((task) => {
      const shape = shapes[task]
      if (scope.isTriggered && !isSelfContained(task)) return false
      if (gives !== undefined && shape?.gives !== gives) return false
      if (isRisky(task)) return this.#isCareless
      return !(scope.isCaught && shape?.outage === true)
    })
    return this.#chance.pick(fitting)
  }

  #isShaky(scope: Scope, term: Term): boolean {
    if (term.kind === 'literal') return false
    if (term.kind === 'list') return term.items.some((item) => this.#isShaky(scope, item))
    return scope.variables.some(({ variable, isShaky }) => isShaky && variable === term.variable)
  }

  #terms(scope: Scope, count: number): Term[] {
    return Array.from({ length: count }, () => this.#term(scope))
  }

  #term(scope: Scope, depth = 0): Term {
    const drawn = this.#chance.number()
    if (drawn < 0.1) return { kind: 'literal', value: this.#chance.below(100) }
    if (drawn < 0.2 && depth === 0)
      return { kind: 'list', items: [this.#term(scope, 1), this.#term(scope, 1)] }
    // new results are used more often than old ones: chains grow long
    const variables = scope.variables.filter(
      ({ kind }) => kind !== 'held' && kind !== 'dir' && kind !== 'table' && kind !== 'run',
    )
    const back = Math.floor(this.#chance.number() ** 2 * variables.length)
    const { variable, kind } = variables[variables.length - 1 - back] as Variable
    if (kind === 'pair' && this.#chance.number() < 0.7)
      return { kind: 'field', variable, field: this.#chance.pick(['a', 'b']) }
    return { kind: 'variable', variable }
  }
}
