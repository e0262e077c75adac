import type { CallKind } from '../../model/records.ts'
import type { TaskPolicy } from '../../model/task.ts'
import { type Call, type EndStatus, type Phase, phaseCodes, phases } from './call.ts'
import {
  afterAt,
  afterCommit,
  aheadAt,
  attemptAt,
  type Beside,
  codes,
  columns,
  consumerAt,
  copied,
  endAt,
  failsAgain,
  flagsAt,
  frees,
  givenBeforeAt,
  heapIndexAt,
  held,
  kept,
  kindAt,
  kinds,
  lost,
  observed,
  orderAt,
  type Page,
  parentAt,
  pendingAt,
  phaseAt,
  type Rare,
  rankAt,
  rememberedAt,
  tolerant,
  usersAt,
} from './call-page.ts'

/** A call as its row says it: see `calls.ts`. */
export class CallView implements Call {
  readonly id: number
  readonly #page: Page
  readonly #row: number
  readonly #numbers: Int32Array
  readonly #at: number
  readonly #beside: Beside

  constructor(id: number, page: Page, row: number, beside: Beside) {
    this.id = id
    this.#page = page
    this.#row = row
    this.#numbers = page.numbers
    this.#at = row * columns
    this.#beside = beside
  }

  get kind(): CallKind {
    return kinds[this.#page.codes[this.#row * codes + kindAt] as number] as CallKind
  }

  get policy(): TaskPolicy {
    return this.#page.policies[this.#row] as TaskPolicy
  }

  get inputs(): readonly number[] {
    return this.#page.inputs[this.#row] as readonly number[]
  }

  get phase(): Phase {
    return phases[this.phaseCode] as Phase
  }

  set phase(phase: Phase) {
    this.phaseCode = phaseCodes[phase]
  }

  get phaseCode(): number {
    return this.#page.codes[this.#row * codes + phaseAt] as number
  }

  set phaseCode(code: number) {
    this.#page.codes[this.#row * codes + phaseAt] = code
  }

  get end(): EndStatus | undefined {
    const end = this.#page.codes[this.#row * codes + endAt] as number
    return end === 0 ? undefined : this.#beside.ends[end - 1]
  }

  set end(end: EndStatus | undefined) {
    this.#page.codes[this.#row * codes + endAt] = end === undefined ? 0 : this.#endCode(end)
  }

  #endCode({ state, reason }: EndStatus): number {
    const { ends } = this.#beside
    for (let i = 0; i < ends.length; i++)
      if (ends[i]?.state === state && ends[i]?.reason === reason) return i + 1
    return ends.push({ state, reason } as EndStatus)
  }

  get order(): number {
    return this.#numbers[this.#at + orderAt] as number
  }

  set order(order: number) {
    this.#numbers[this.#at + orderAt] = order
  }

  get after(): number {
    return this.#numbers[this.#at + afterAt] as number
  }

  set after(after: number) {
    this.#numbers[this.#at + afterAt] = after
  }

  get givenBefore(): number {
    return this.#numbers[this.#at + givenBeforeAt] as number
  }

  set givenBefore(givenBefore: number) {
    this.#numbers[this.#at + givenBeforeAt] = givenBefore
  }

  get pending(): number {
    return this.#numbers[this.#at + pendingAt] as number
  }

  set pending(pending: number) {
    this.#numbers[this.#at + pendingAt] = pending
  }

  get attempt(): number {
    return this.#numbers[this.#at + attemptAt] as number
  }

  set attempt(attempt: number) {
    this.#numbers[this.#at + attemptAt] = attempt
  }

  get users(): number {
    return this.#numbers[this.#at + usersAt] as number
  }

  set users(users: number) {
    this.#numbers[this.#at + usersAt] = users
  }

  get heapIndex(): number {
    return this.#numbers[this.#at + heapIndexAt] as number
  }

  set heapIndex(heapIndex: number) {
    this.#numbers[this.#at + heapIndexAt] = heapIndex
  }

  get rank(): number {
    return this.#numbers[this.#at + rankAt] as number
  }

  set rank(rank: number) {
    this.#numbers[this.#at + rankAt] = rank
  }

  get ahead(): number {
    return this.#numbers[this.#at + aheadAt] as number
  }

  set ahead(ahead: number) {
    this.#numbers[this.#at + aheadAt] = ahead
  }

  get rememberedOrder(): number | undefined {
    const rememberedOrder = this.#numbers[this.#at + rememberedAt] as number
    return rememberedOrder < 0 ? undefined : rememberedOrder
  }

  set rememberedOrder(rememberedOrder: number | undefined) {
    this.#numbers[this.#at + rememberedAt] = rememberedOrder ?? -1
  }

  get parent(): number | undefined {
    const parent = this.#numbers[this.#at + parentAt] as number
    return parent < 0 ? undefined : parent
  }

  set parent(parent: number | undefined) {
    this.#numbers[this.#at + parentAt] = parent ?? -1
  }

  get consumer(): number | undefined {
    const consumer = this.#numbers[this.#at + consumerAt] as number
    return consumer < 0 ? undefined : consumer
  }

  set consumer(consumer: number | undefined) {
    this.#numbers[this.#at + consumerAt] = consumer ?? -1
  }

  get tolerant(): boolean {
    return this.#is(tolerant)
  }

  set tolerant(is: boolean) {
    this.#mark(tolerant, is)
  }

  get failsAgain(): boolean {
    return this.#is(failsAgain)
  }

  set failsAgain(is: boolean) {
    this.#mark(failsAgain, is)
  }

  get afterCommit(): boolean {
    return this.#is(afterCommit)
  }

  set afterCommit(is: boolean) {
    this.#mark(afterCommit, is)
  }

  get held(): boolean {
    return this.#is(held)
  }

  set held(is: boolean) {
    this.#mark(held, is)
  }

  get lost(): boolean {
    return this.#is(lost)
  }

  set lost(is: boolean) {
    this.#mark(lost, is)
  }

  get copied(): boolean {
    return this.#is(copied)
  }

  set copied(is: boolean) {
    this.#mark(copied, is)
  }

  get observed(): boolean {
    return this.#is(observed)
  }

  set observed(is: boolean) {
    this.#mark(observed, is)
  }

  get kept(): boolean {
    return this.#is(kept)
  }

  set kept(is: boolean) {
    this.#mark(kept, is)
  }

  get frees(): boolean {
    return this.#is(frees)
  }

  set frees(is: boolean) {
    this.#mark(frees, is)
  }

  get moreConsumers(): number[] | undefined {
    return this.#page.moreConsumers?.[this.#row]
  }

  set moreConsumers(consumers: number[] | undefined) {
    if (consumers === undefined && this.#page.moreConsumers === undefined) return
    this.#page.moreConsumers ??= new Array(this.#page.inputs.length)
    this.#page.moreConsumers[this.#row] = consumers
  }

  get waiters(): number[] | undefined {
    return this.#known()?.waiters
  }

  set waiters(waiters: number[] | undefined) {
    if (waiters !== this.waiters) this.#rare().waiters = waiters
  }

  get heldInputs(): readonly number[] | undefined {
    return this.#page.heldInputs?.[this.#row]
  }

  set heldInputs(heldInputs: readonly number[] | undefined) {
    if (heldInputs === undefined && this.#page.heldInputs === undefined) return
    this.#page.heldInputs ??= new Array(this.#page.inputs.length)
    // most calls that take something held take nothing else from calls: one list says both
    const { inputs } = this
    const isAll = heldInputs?.length === inputs.length && inputs.every((id, at) => id === heldInputs[at])
    this.#page.heldInputs[this.#row] = isAll ? inputs : heldInputs
  }

  get memoryBytes(): number {
    return this.#known()?.memoryBytes ?? this.policy.memoryBytes
  }

  set memoryBytes(memoryBytes: number) {
    if (memoryBytes !== this.memoryBytes) this.#rare().memoryBytes = memoryBytes
  }

  get spent(): number {
    return this.#known()?.spent ?? 0
  }

  set spent(spent: number) {
    if (spent !== this.spent) this.#rare().spent = spent
  }

  get losses(): number {
    return this.#known()?.losses ?? 0
  }

  set losses(losses: number) {
    if (losses !== this.losses) this.#rare().losses = losses
  }

  get passed(): number {
    return this.#known()?.passed ?? 0
  }

  set passed(passed: number) {
    if (passed !== this.passed) this.#rare().passed = passed
  }

  #rare(): Rare {
    const { rare } = this.#beside
    let found = rare.get(this.id)
    if (found === undefined) {
      found = {}
      rare.set(this.id, found)
    }
    return found
  }

  #known(): Rare | undefined {
    const { rare } = this.#beside
    return rare.size === 0 ? undefined : rare.get(this.id)
  }

  #is(flag: number): boolean {
    return ((this.#numbers[this.#at + flagsAt] as number) & flag) !== 0
  }

  #mark(flag: number, is: boolean): void {
    const flags = this.#numbers[this.#at + flagsAt] as number
    this.#numbers[this.#at + flagsAt] = is ? flags | flag : flags & ~flag
  }
}
