import { canonical } from '../../core/identity/canonical.ts'
import { decode, encode } from '../../model/codec.ts'
import { AlmanacError, errorRecord } from '../../model/errors.ts'
import type { AskRecord, ErrorRecord } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { ExpectedInput } from '../../ports/caller.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Answer } from '../../ports/journal.ts'
import type { CallInfo, NewCall } from '../calls/call-info.ts'
import { recordOf } from '../calls/failure.ts'

/** What open questions ask of the run. */
export interface AskHost {
  /** Calls back at that time, unless the run is left before. */
  at(time: number, wake: () => void): void
  add(record: AskRecord): void
  asked(ask: AskRecord): void
  answered(info: CallInfo, value: Value, error?: ErrorRecord): void
  judged(call: number, verdict: 'retry' | 'skip' | 'stop'): void
}

/** What a person may say to a failure. */
const verdictSchema = {
  type: 'object',
  properties: { verdict: { enum: ['retry', 'skip', 'stop'] } },
  required: ['verdict'],
}

/**
 * Questions to people that are open in a run: those of the workflow, and what to do about failures.
 *
 * U1 an answer counts once; one that does not fit the schema leaves the question open.
 * U2 equal questions of one caller are never open at once without a key.
 * U3 people are not told of a question whose answer was given before this life of the run, unless it does not fit.
 */
export class Asks {
  readonly #clock: Clock
  readonly #host: AskHost
  readonly #open = new Map<number, Open>()
  /** callbacks that are about to be open, by what they have in common with equal ones */
  readonly #coming = new Map<number, string>()
  /** answers that came before their question was put again */
  readonly #early = new Map<number, Answer>()
  /** questions that people hear of once earlier answers are known; undefined from then on */
  #untold: Map<number, AskRecord> | undefined = new Map()
  /** failures that were judged before in this life of the run */
  readonly #judged = new Set<number>()
  /** answers that are being looked at */
  #checking = 0

  constructor(clock: Clock, host: AskHost) {
    this.#clock = clock
    this.#host = host
  }

  get isBusy(): boolean {
    return this.#checking > 0
  }

  /** What people have been told of and have not answered: the first of it, by title. */
  get titles(): readonly string[] {
    const titles: string[] = []
    for (const [call, { title, token }] of this.#open) {
      if (titles.length === mostTitles) break
      if (token === undefined && this.#untold?.has(call) !== true) titles.push(title)
    }
    return titles
  }

  /** Answers that were given before this life of the run have come. */
  answersKnown(): void {
    const untold = this.#untold
    this.#untold = undefined
    for (const ask of untold?.values() ?? []) if (this.#open.has(ask.call)) this.#host.asked(ask)
  }

  /** @throws ALM_KEY_NEEDED */
  checkKey(call: NewCall): void {
    if (call.key !== undefined) return
    const text = askText(call)
    const refuse = (other: string): void => {
      if (other === text) throw new AlmanacError('ALM_KEY_NEEDED', { what: call.request.kind })
    }
    for (const open of this.#open.values()) refuse(open.text)
    for (const coming of this.#coming.values()) refuse(coming)
  }

  /** `args`: of the question, with the values of futures. */
  open(info: CallInfo, resolved: Value): void {
    const args = resolved as {
      title: string
      schema: Value
      show: Value
      to: string | null
      timeoutMs: number | null
    }
    const { title, schema, show, to } = args
    this.#put({ info, text: askText(info), judge: false, title, schema, show, to })
    this.#until(info, title, args.timeoutMs)
  }

  /** A callback whose token is being made: it is as good as open. */
  callbackComes(info: CallInfo): void {
    this.#coming.set(info.id, askText(info))
  }

  /** What is posted to it answers as a person does; `token`: SHA-256 of the one in its URL, undefined where there is none. */
  openCallback(info: CallInfo, token: Digest | undefined): void {
    this.#coming.delete(info.id)
    if (token === undefined) return
    const { title, schema, timeoutMs } = info.request.expected as ExpectedInput
    this.#put({ info, text: askText(info), judge: false, title, schema, show: null, to: null, token })
    this.#until(info, title, timeoutMs)
  }

  #until(info: CallInfo, title: string, timeoutMs: number | null): void {
    if (timeoutMs === null) return
    this.#host.at(info.madeAt + timeoutMs, () => {
      if (!this.#open.delete(info.id)) return
      this.#host.answered(info, undefined, errorRecord('ALM_ASK_TIMEOUT', { title }, { call: info.id }))
    })
  }

  judge(info: CallInfo): void {
    const isSecond = this.#judged.has(info.id)
    this.#judged.add(info.id)
    const message = info.lastError?.message ?? ''
    const title = `${info.request.name} failed: ${message}`
    this.#put(
      { info, text: '', judge: true, title, schema: verdictSchema, show: { error: message }, to: null },
      isSecond,
    )
  }

  answer(answer: Answer): void {
    const open = this.#open.get(answer.call)
    if (open === undefined) {
      this.#early.set(answer.call, answer)
      return
    }
    const { info, judge } = open
    this.#untold?.delete(info.id)
    this.#checking++
    void this.#check(info, answer.answerWire, judge).then(
      (value) => {
        this.#checking--
        if (!this.#open.delete(info.id)) return
        if (judge) this.#host.judged(info.id, (value as { verdict: 'retry' | 'skip' | 'stop' }).verdict)
        else this.#host.answered(info, value)
      },
      (error: unknown) => {
        this.#checking--
        if (this.#open.get(info.id) === open) this.#put(open, true, recordOf(error))
      },
    )
  }

  async #check(info: CallInfo, answerWire: string, judge: boolean): Promise<Value> {
    const value = decode(answerWire)
    if (!judge) return info.request.check === undefined ? value : info.request.check(value)
    const verdict = (value as { verdict?: unknown } | null)?.verdict
    if (verdict === 'retry' || verdict === 'skip' || verdict === 'stop') return { verdict }
    throw new AlmanacError('ALM_SCHEMA', {
      what: 'The answer',
      issues: 'verdict is none of retry, skip, stop',
    })
  }

  /** `again`: an answer that was given does not count; `refused`: why not. */
  #put(open: Open, again = false, refused?: ErrorRecord): void {
    const { info, title, schema, show, to, token } = open
    this.#open.set(info.id, open)
    const ask: AskRecord = {
      kind: 'ask',
      call: info.id,
      title: refused === undefined ? title : `${title} (${refused.message})`,
      schemaWire: JSON.stringify(schema),
      showWire: encode(show),
      ...(to !== null && { to }),
      ...(token !== undefined && { of: 'callback' as const, token }),
      ...(again && { again }),
      at: this.#clock.now(),
    }
    this.#host.add(ask)
    const early = this.#early.get(info.id)
    if (early === undefined) return this.#tell(ask)
    this.#early.delete(info.id)
    this.answer(early)
  }

  #tell(ask: AskRecord): void {
    if (this.#untold === undefined) this.#host.asked(ask)
    else this.#untold.set(ask.call, ask)
  }
}

const mostTitles = 5

/** A question that nobody has answered. */
interface Open {
  readonly info: CallInfo
  /** what it has in common with equal ones */
  readonly text: string
  /** what to do about a failure */
  readonly judge: boolean
  readonly title: string
  readonly schema: Value
  readonly show: Value
  readonly to: string | null
  /** of a callback */
  readonly token?: Digest
}

const askText = ({ caller, args }: Pick<NewCall, 'caller' | 'args'>): string =>
  `${caller}\n${canonical(args, { future: (ref) => `${ref.call}${JSON.stringify(ref.path)}` })}`
