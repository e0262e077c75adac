import type { ErrorRecord, RememberedCall } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { CallRequest } from '../../ports/caller.ts'
import type { AttemptId } from '../../ports/executor.ts'
import type { CallInfo, TaskIdentity, WorkClaim } from './call-info.ts'
import {
  type Beside,
  type Called,
  cacheable,
  codes,
  columns,
  costMs,
  flagsAt,
  madeAt,
  type Page,
  pageSize,
  plain,
  positional,
  type Rare,
  type RareName,
  startedAt,
  verdictAt,
} from './call-info-page.ts'

/** All that may be known of a call: what had no place in the row would be gone with the view. */
type Whole = { [Name in keyof CallInfo]-?: CallInfo[Name] }

/** What is known of a call, as its row says it: see `call-infos.ts`. */
export class CallInfoView implements Whole {
  readonly id: number
  readonly #page: Page
  readonly #row: number
  readonly #beside: Beside

  constructor(id: number, page: Page, row: number, beside: Beside) {
    this.id = id
    this.#page = page
    this.#row = row
    this.#beside = beside
  }

  get key(): Digest {
    return this.#page.keys[this.#row] as Digest
  }

  get caller(): string {
    return this.#called().caller
  }

  get path(): string {
    return this.#called().path
  }

  get request(): CallRequest {
    return this.#called().request
  }

  get args(): Value {
    const kept = this.#page.args[this.#row]
    if (!this.#is(positional)) return kept
    return { args: Array.isArray(kept) ? kept : [kept] }
  }

  get isPlain(): boolean {
    return this.#is(plain)
  }

  get own(): RememberedCall | undefined {
    return this.#page.owns?.[this.#row]
  }

  get madeAt(): number {
    return this.#page.numbers[this.#row * columns + madeAt] as number
  }

  get cacheable(): boolean {
    return this.#is(cacheable)
  }

  set cacheable(is: boolean) {
    const at = this.#row * codes + flagsAt
    const flags = this.#page.codes[at] as number
    this.#page.codes[at] = is ? flags | cacheable : flags & ~cacheable
  }

  get verdict(): string {
    return this.#beside.verdicts[this.#page.codes[this.#row * codes + verdictAt] as number] as string
  }

  set verdict(verdict: string) {
    const { verdicts } = this.#beside
    let code = verdicts.indexOf(verdict)
    if (code < 0) code = verdicts.push(verdict) - 1
    this.#page.codes[this.#row * codes + verdictAt] = code
  }

  get fingerprint(): Digest | undefined {
    return this.#page.fingerprints[this.#row]
  }

  set fingerprint(fingerprint: Digest | undefined) {
    this.#page.fingerprints[this.#row] = fingerprint
  }

  get identity(): TaskIdentity | undefined {
    return this.#page.identities[this.#row]
  }

  set identity(identity: TaskIdentity | undefined) {
    this.#page.identities[this.#row] = identity
  }

  get underWay(): AttemptId | undefined {
    return this.#page.underWay[this.#row]
  }

  set underWay(underWay: AttemptId | undefined) {
    this.#page.underWay[this.#row] = underWay
  }

  get resultWire(): string | undefined {
    return this.#page.wires[this.#row]
  }

  set resultWire(resultWire: string | undefined) {
    this.#page.wires[this.#row] = resultWire
  }

  get startedAt(): number {
    return this.#page.numbers[this.#row * columns + startedAt] as number
  }

  set startedAt(time: number) {
    this.#page.numbers[this.#row * columns + startedAt] = time
  }

  get costMs(): number {
    return this.#page.numbers[this.#row * columns + costMs] as number
  }

  set costMs(ms: number) {
    this.#page.numbers[this.#row * columns + costMs] = ms
  }

  get entry(): string | undefined {
    return this.#rare()?.entry
  }

  set entry(entry: string | undefined) {
    this.#setRare('entry', entry)
  }

  get origin(): CallInfo['origin'] {
    return this.#rare()?.origin
  }

  set origin(origin: CallInfo['origin']) {
    this.#setRare('origin', origin)
  }

  get heldKey(): Digest | undefined {
    return this.#page.heldKeys?.[this.#row]
  }

  set heldKey(heldKey: Digest | undefined) {
    if (heldKey !== undefined) this.#page.heldKeys ??= new Array(pageSize)
    if (this.#page.heldKeys !== undefined) this.#page.heldKeys[this.#row] = heldKey
  }

  get takenFrom(): number | undefined {
    return this.#rare()?.takenFrom
  }

  set takenFrom(takenFrom: number | undefined) {
    this.#setRare('takenFrom', takenFrom)
  }

  get lastError(): ErrorRecord | undefined {
    return this.#rare()?.lastError
  }

  set lastError(lastError: ErrorRecord | undefined) {
    this.#setRare('lastError', lastError)
  }

  get drift(): CallInfo['drift'] {
    return this.#rare()?.drift
  }

  set drift(drift: CallInfo['drift']) {
    this.#setRare('drift', drift)
  }

  get claim(): WorkClaim | undefined {
    return this.#rare()?.claim
  }

  set claim(claim: WorkClaim | undefined) {
    this.#setRare('claim', claim)
  }

  get message(): CallInfo['message'] {
    return this.#rare()?.message
  }

  set message(message: CallInfo['message']) {
    this.#setRare('message', message)
  }

  get map(): CallInfo['map'] {
    return this.#rare()?.map
  }

  set map(map: CallInfo['map']) {
    this.#setRare('map', map)
  }

  #called(): Called {
    return this.#page.called[this.#row] as Called
  }

  #is(flag: number): boolean {
    return ((this.#page.codes[this.#row * codes + flagsAt] as number) & flag) !== 0
  }

  #rare(): Rare | undefined {
    const { rare } = this.#beside
    return rare.size === 0 ? undefined : rare.get(this.id)
  }

  /** What a call has not got costs it nothing. */
  #setRare<Name extends RareName>(name: Name, value: Rare[Name]): void {
    let rare = this.#rare()
    if (rare === undefined) {
      if (value === undefined) return
      rare = {}
      this.#beside.rare.set(this.id, rare)
    }
    rare[name] = value
  }
}
