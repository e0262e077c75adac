import type { CallKind } from '../../model/records.ts'
import type { TaskPolicy } from '../../model/task.ts'
import type { EndStatus, NewCall } from './call.ts'

/** Rows of calls with numbers that follow one another. */
export interface Page {
  readonly numbers: Int32Array
  readonly codes: Uint8Array
  /** undefined where there is no such call */
  readonly policies: (TaskPolicy | undefined)[]
  readonly inputs: (readonly number[])[]
  /** only where several calls wait for one */
  moreConsumers?: (number[] | undefined)[]
  /** only where a call takes what workers hold */
  heldInputs?: (readonly number[] | undefined)[]
}

// a row of numbers …
export const flagsAt = 0
export const orderAt = 1
export const afterAt = 2
export const givenBeforeAt = 3
export const rememberedAt = 4
export const parentAt = 5
export const pendingAt = 6
export const attemptAt = 7
export const usersAt = 8
export const heapIndexAt = 9
export const rankAt = 10
export const aheadAt = 11
export const consumerAt = 12
export const columns = 13

// … and of small ones
export const phaseAt = 0
export const kindAt = 1
export const endAt = 2
export const codes = 3

// bits of the flags
export const tolerant = 1
export const failsAgain = 2
export const afterCommit = 4
export const held = 8
export const lost = 16
export const copied = 32
export const observed = 64
export const kept = 128
export const frees = 256

/** What is beside the rows: of few calls, or shared by all. */
export interface Beside {
  readonly rare: Map<number, Rare>
  /** how calls have ended: the few that there are */
  readonly ends: EndStatus[]
}

/** What few calls have. */
export interface Rare {
  waiters?: number[] | undefined
  memoryBytes?: number
  spent?: number
  losses?: number
  passed?: number
}

/** A page without calls. */
export function newPage(size: number): Page {
  return {
    numbers: new Int32Array(size * columns),
    codes: new Uint8Array(size * codes),
    policies: new Array(size),
    inputs: new Array(size),
  }
}

/** A call that has just been made. */
export function writeRow(page: Page, row: number, { kind, policy, inputs }: NewCall): void {
  page.policies[row] = policy
  page.inputs[row] = inputs
  page.codes[row * codes + kindAt] = kindCodes[kind]
  const at = row * columns
  page.numbers[at + orderAt] = -1
  page.numbers[at + heapIndexAt] = -1
  page.numbers[at + parentAt] = -1
  page.numbers[at + rememberedAt] = -1
  page.numbers[at + consumerAt] = -1
}

const kindCodes: Readonly<Record<CallKind, number>> = {
  task: 0,
  map: 1,
  entry: 2,
  child: 3,
  local: 4,
  view: 5,
  sleep: 6,
  now: 7,
  random: 8,
  ask: 9,
  read: 10,
  publish: 11,
  get: 12,
  put: 13,
  patch: 14,
  receive: 15,
  send: 16,
  callback: 17,
  trigger: 18,
  timer: 19,
}

/** By code. */
export const kinds = Object.keys(kindCodes) as readonly CallKind[]
