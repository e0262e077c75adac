/**
 * A workflow as data, so that the same program can be run by the engine, by the model, and after an edit.
 * Variables are numbered within a function; a block sees those of the blocks around it.
 */
export interface Program {
  readonly main: Block
  readonly children: readonly Block[]
  /** workflows that runs trigger, each those after it */
  readonly triggered: readonly Block[]
  /** are there messages in it that are waited for? */
  readonly receives: boolean
  /** by index of the shape: what its code is now */
  readonly codes: readonly Code[]
  readonly input: number
  /** the directory that it works on, if any: what is in each file; the function has it as its second variable */
  readonly files: Readonly<Record<string, number>> | undefined
}

/** The run that everything begins with. */
export const mainRun = 'main'

/** A task's code: `text` counts in the fingerprint, `meaning` decides what it gives. */
export interface Code {
  readonly text: number
  readonly meaning: number
}

export interface Block {
  readonly steps: readonly Step[]
  /** awaited and hashed: what the block gives */
  readonly result: readonly Term[]
}

/** What a step works on. */
export type Term =
  | { readonly kind: 'literal'; readonly value: number }
  | { readonly kind: 'variable'; readonly variable: number }
  | { readonly kind: 'field'; readonly variable: number; readonly field: 'a' | 'b' }
  | { readonly kind: 'list'; readonly items: readonly Term[] }

/** `site` is unique in the program and survives edits; `to` is the variable that gets what the step gives. */
export type Step = { readonly site: number; readonly to: number } & (
  | { readonly op: 'call'; readonly task: number; readonly args: readonly Term[]; readonly equal: boolean }
  | { readonly op: 'await'; readonly of: Term }
  /** so many calls of one task, by a loop or by `task.map`: an array of futures */
  | {
      readonly op: 'fan'
      readonly task: number
      readonly count: Count
      readonly shared: Term
      readonly mapped: boolean
    }
  | { readonly op: 'all'; readonly of: number }
  | { readonly op: 'settled'; readonly of: number }
  | { readonly op: 'filter'; readonly of: number }
  | {
      readonly op: 'branches'
      readonly count: Count
      readonly item: number
      readonly body: Block
      readonly keyed: boolean
    }
  | {
      readonly op: 'child'
      readonly child: number
      readonly arg: Term
      readonly keyed: boolean
      readonly most: number
    }
  | { readonly op: 'stage'; readonly body: Block }
  | { readonly op: 'try'; readonly body: Block }
  | { readonly op: 'race'; readonly of: readonly Term[] }
  /** what comes too late is dropped for the time at which it was */
  | { readonly op: 'within'; readonly of: Term; readonly ms: number }
  | { readonly op: 'lambdas'; readonly bodies: readonly Block[] }
  /** results as they arrive, each with a call of its own that depends on all before */
  | { readonly op: 'arrivals'; readonly of: readonly Term[]; readonly task: number }
  | { readonly op: 'loop'; readonly count: Count; readonly carry: number; readonly body: Block }
  | { readonly op: 'if'; readonly of: Term; readonly then: Block; readonly else: Block }
  /** a call for each file of a directory: a table of what they gave */
  | { readonly op: 'mapFiles'; readonly of: number; readonly task: number; readonly shared: Term }
  /** the table's results, in order of path; or those that there are, and which failed */
  | { readonly op: 'rows'; readonly of: number }
  | { readonly op: 'outcomes'; readonly of: number }
  /** the files for which the table says so */
  | { readonly op: 'keep'; readonly of: number; readonly by: number }
  /** the directory that a dataset has when the run first asks for it */
  | { readonly op: 'read'; readonly dataset: string }
  /** a directory becomes its next version: upon what the run saw, or upon whatever is there */
  | {
      readonly op: 'publish'
      readonly dataset: string
      readonly of: number
      readonly upon: 'seen' | 'newest'
    }
  | { readonly op: 'now' }
  | { readonly op: 'random' }
  | { readonly op: 'sleep'; readonly ms: number }
  | { readonly op: 'ask' }
  /** the next message of that name */
  | { readonly op: 'receive'; readonly name: string; readonly keyed: boolean }
  /** a message out of the run */
  | {
      readonly op: 'send'
      readonly name: string
      readonly of: Term
      readonly receiver: Receiver
      readonly awaited: boolean
    }
  /** a run of its own, by its number among those that can be triggered */
  | { readonly op: 'trigger'; readonly workflow: number; readonly of: Term; readonly awaited: boolean }
  | { readonly op: 'throw'; readonly of: Term; readonly oneIn: number }
)

/** Who a message is to: the run that everything began with, or one that was triggered, by its variable. */
export type Receiver = 'nobody' | 'itself' | 'main' | { readonly triggered: number }

/** 0 to `most`, decided by a value that is known. */
export interface Count {
  readonly of: Term
  readonly most: number
}

/**
 * Does a place lie in a function that is known by its count among its like? An edit may change that: what is done in
 * it is done again then.
 */
export function isCounted(program: Program, at: string): boolean {
  const sites = at
    .split('/')
    .slice(1, -1)
    .map((step) => Number.parseInt(step, 10))
  const counted = countedOf(program)
  return at.includes('>') || sites.some((site) => counted.has(site))
}

/** Are there functions that are known by their count? */
export const hasCounted = (program: Program): boolean => countedOf(program).size > 0

function countedOf(program: Program): ReadonlySet<number> {
  let counted = countedSites.get(program)
  if (counted === undefined) {
    counted = new Set([program.main, ...program.children, ...program.triggered].flatMap(sitesOf))
    countedSites.set(program, counted)
  }
  return counted
}

const countedSites = new WeakMap<Program, ReadonlySet<number>>()

function sitesOf(block: Block): number[] {
  return block.steps.flatMap((step) => {
    const isOne = step.op === 'branches' || step.op === 'stage' || (step.op === 'child' && !step.keyed)
    return [...(isOne ? [step.site] : []), ...blocksOf(step).flatMap(sitesOf)]
  })
}

function blocksOf(step: Step): readonly Block[] {
  if (step.op === 'if') return [step.then, step.else]
  if (step.op === 'lambdas') return step.bodies
  return 'body' in step ? [step.body] : []
}
