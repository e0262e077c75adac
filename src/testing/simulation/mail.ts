import { openMemoryJournal } from '../../journal/memory/open.ts'
import type { MemoryStore, RunMemory } from '../../journal/memory/store.ts'
import { decode, encode } from '../../model/codec.ts'
import { isAlmanacError } from '../../model/errors.ts'
import type { JournalRecord, Message, Outcome, RunId } from '../../model/records.ts'
import type { Journal } from '../../ports/journal.ts'
import type { SeededChance } from '../seeded-chance.ts'
import { Broken } from './failure.ts'
import { messageNames } from './generate.ts'
import { hashOf, textHash } from './hashes.ts'
import { isMessage } from './schemas.ts'

/**
 * People and programs outside that send messages to runs: before a run asks and after, some twice, some that do not
 * fit. It watches all messages over all lives, and says when a promise is broken:
 *
 * S24 a message is received by at most one call, which the journal names, and the call gives what was sent.
 * S25 messages of a name are received in the order in which they came.
 * S26 a message with an id is there once; what a run has sent to another one is there, once.
 * S28 no run waits for a message that is there.
 */
export class Mail {
  readonly #store: MemoryStore
  readonly #chance: SeededChance
  readonly #journal: ReturnType<typeof openMemoryJournal>['journal']
  #count = 0
  /** those with an id */
  readonly #known: {
    readonly run: RunId
    readonly name: string
    readonly id: string
    readonly seq: number
  }[] = []
  /** that were there when the life began, and nobody had received */
  #before: ReadonlySet<number> = new Set()

  constructor(store: MemoryStore, chance: SeededChance) {
    this.#store = store
    this.#chance = chance
    this.#journal = openMemoryJournal(store).journal
  }

  /** How many have been received by a call. */
  get received(): number {
    return [...this.#store.runs.values()].reduce(
      (sum, { messages }) =>
        sum +
        [...messages.values()].filter(({ direction, call }) => direction === 'in' && call !== undefined)
          .length,
      0,
    )
  }

  /** A life begins. */
  begin(): void {
    const unread = [...this.#store.runs.values()].flatMap(({ messages }) =>
      [...messages.values()].filter(isUnread),
    )
    this.#before = new Set(unread.map(({ seq }) => seq))
  }

  /** Names of which a run waits for more messages than there are. */
  wanted(run: RunId): readonly string[] {
    const memory = this.#store.runs.get(run)
    if (memory === undefined) return []
    return messageNames.filter((name) => {
      const waiting = openReceives(memory, name)
      return waiting > 0 && waiting > unreadOf(memory, name).length
    })
  }

  /** Somebody sends one of any name, to any run; gives the number in it, where there is one. */
  async send(now: number): Promise<number | undefined> {
    const chance = this.#chance
    const runs = [...this.#store.runs.keys()]
    const run = chance.number() < 0.6 ? runs[0] : chance.pick(runs)
    if (run === undefined) return undefined
    if (this.#known.length > 0 && chance.number() < 0.2) return this.#repeat(now)
    if (chance.number() < 0.2) return this.#deliver(run, chance.pick(messageNames), 'oops', now)
    const wanted = this.wanted(run)
    const name = wanted.length > 0 && chance.number() < 0.7 ? chance.pick(wanted) : chance.pick(messageNames)
    return this.#deliver(run, name, this.#number(), now)
  }

  /** Somebody sends what runs wait for. */
  async satisfy(now: number): Promise<readonly number[]> {
    const sent: number[] = []
    for (const run of this.#store.runs.keys())
      for (const name of this.wanted(run))
        sent.push((await this.#deliver(run, name, this.#number(), now)) as number)
    return sent
  }

  /** Outcomes of calls have become durable. */
  durable(run: RunId, records: readonly JournalRecord[]): void {
    for (const record of records) {
      if (record.kind === 'outcome' && record.message !== undefined && record.reason === 'executed')
        this.#checkOrder(run, record)
    }
  }

  /** A life has ended. */
  check(): void {
    for (const [run, memory] of this.#store.runs) {
      for (const { message, call } of memory.outcomes.values())
        if (message !== undefined) this.#checkReceived(run, memory, message, call)
      for (const message of memory.messages.values()) this.#checkMessage(run, memory, message)
    }
  }

  /** The run rests, and waits; `isOpen`: for the call, in this life. */
  checkRest(run: RunId, isOpen: (call: number) => boolean): void {
    const memory = this.#store.runs.get(run) as RunMemory
    for (const { record, ended } of memory.asks.values()) {
      if (record.of !== 'receive' || ended || !isOpen(record.call)) continue
      const there = unreadOf(memory, record.name ?? '').find(({ seq }) => this.#before.has(seq))
      if (there !== undefined)
        throw new Broken(
          'S28',
          `${run} waits for ${record.name}, and message ${there.seq} was there all the time`,
        )
    }
  }

  #number(): number {
    return hashOf(textHash('message'), ++this.#count)
  }

  async #repeat(now: number): Promise<undefined> {
    const { run, name, id, seq } = this.#chance.pick(this.#known)
    const sent = await this.#send(run, { name, valueWire: '"again"', by: 'outside', at: now, id })
    if (sent !== undefined && (sent.isNew || sent.seq !== seq))
      throw new Broken('S26', `message ${seq} to ${run} was sent again, and is now ${sent.seq}`)
  }

  async #deliver(run: RunId, name: string, value: number | 'oops', now: number): Promise<number | undefined> {
    const id = this.#chance.number() < 0.5 ? { id: `id ${++this.#count}` } : {}
    const sent = await this.#send(run, { name, valueWire: encode(value), by: 'outside', at: now, ...id })
    if (sent !== undefined && id.id !== undefined) this.#known.push({ run, name, id: id.id, seq: sent.seq })
    return value === 'oops' ? undefined : value
  }

  /** Nothing is sent to a run that has succeeded. */
  async #send(...given: Parameters<Journal['send']>): Promise<{ seq: number; isNew: boolean } | undefined> {
    const isOver = this.#store.runs.get(given[0])?.record.state === 'succeeded'
    try {
      const sent = await this.#journal.send(...given)
      if (!isOver) return sent
    } catch (error) {
      if (isOver && isAlmanacError(error) && error.code === 'ALM_RUN_OVER') return undefined
      throw error
    }
    throw new Broken('S26', `a message was sent to ${given[0]}, which has succeeded`)
  }

  #checkOrder(run: RunId, { message: seq = 0, call }: Outcome): void {
    const memory = this.#store.runs.get(run) as RunMemory
    const name = memory.messages.get(seq)?.name ?? ''
    const earlier = unreadOf(memory, name).find((one) => one.seq < seq)
    if (earlier !== undefined)
      throw new Broken('S25', `call ${call} of ${run} received message ${seq} before ${earlier.seq}`)
  }

  #checkReceived(run: RunId, { messages, outcomes }: RunMemory, seq: number, call: number): void {
    const message = messages.get(seq)
    if (message?.call === call && message.valueWire === outcomes.get(call)?.valueWire) return
    throw new Broken('S24', `call ${call} of ${run} has message ${seq}: ${JSON.stringify(message)}`)
  }

  #checkMessage(run: RunId, { outcomes, calls }: RunMemory, message: Message): void {
    const { seq, call, direction, run: other } = message
    const what = `message ${seq} of ${run}`
    if (direction === 'in' && call !== undefined && outcomes.get(call)?.message !== seq)
      throw new Broken('S24', `${what} was received by call ${call}, which says nothing of it`)
    if (direction === 'in') return
    if (call === undefined || calls.get(call)?.call_kind !== 'send')
      throw new Broken('S26', `no call has sent ${what}`)
    const receiver = other === undefined ? undefined : this.#store.runs.get(other)
    if (receiver === undefined) return
    const copies = [...receiver.messages.values()].filter(
      ({ id, direction: to }) => to === 'in' && id === `run ${run} ${message.id}`,
    )
    if (copies.length !== 1 || copies[0]?.valueWire !== message.valueWire)
      throw new Broken('S26', `${what} is ${copies.length} times with ${other}`)
  }
}

/** It is there for a call to receive. */
const isUnread = ({ direction, call, error, valueWire }: Message): boolean =>
  direction === 'in' && call === undefined && error === undefined && isMessage(decode(valueWire))

const unreadOf = ({ messages }: RunMemory, name: string): readonly Message[] =>
  [...messages.values()].filter((one) => one.name === name && isUnread(one))

/** Calls that wait for a message of the name. */
const openReceives = ({ asks }: RunMemory, name: string): number => {
  let count = 0
  for (const { record, ended } of asks.values())
    if (record.of === 'receive' && record.name === name && !ended) count++
  return count
}
