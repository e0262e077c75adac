import { decode, encode } from '../../model/codec.ts'
import { AlmanacError, errorRecord } from '../../model/errors.ts'
import type { AskRecord, ErrorRecord, Message } from '../../model/records.ts'
import type { Value } from '../../model/value.ts'
import type { ExpectedInput } from '../../ports/caller.ts'
import { Queue } from '../../util/queue.ts'
import type { CallInfo, NewCall } from '../calls/call-info.ts'
import { executed, failedError } from '../calls/ends.ts'
import { recordOf } from '../calls/failure.ts'
import type { RunContext } from '../run-context.ts'

/** What calls that wait for messages tell. */
export interface ReceiveHost {
  readonly left: (info: CallInfo, status: typeof executed | typeof failedError, error?: ErrorRecord) => void
  /** nothing is looked at any more */
  readonly rested: () => void
}

/** Messages of one name, and the calls that wait for them. */
interface Channel {
  readonly name: string
  /** some may have ended meanwhile */
  readonly waiting: Queue<CallInfo>
  /** read, and received by nobody yet */
  readonly queue: Queue<Message>
  /** `seq` of the last one that was read */
  after: number
  serving: Promise<void> | undefined
}

/**
 * Messages that calls of a run wait for.
 *
 * V1 a message is received by at most one call: calls of a name in the order in which they began to wait, messages in
 *    that in which they came, whenever that was.
 * V2 which message a call received is recorded in its outcome; of what is not recorded others may receive the message.
 * V3 a message that does not fit is set aside, and the call goes on waiting.
 * V4 equal calls of one caller are never open at once without a key.
 */
export class Receives {
  readonly #run: RunContext
  readonly #host: ReceiveHost
  readonly #channels = new Map<string, Channel>()
  #busy = 0

  constructor(run: RunContext, host: ReceiveHost) {
    this.#run = run
    this.#host = host
  }

  /** Messages are being looked at. */
  get isBusy(): boolean {
    return this.#busy > 0
  }

  /** @throws ALM_KEY_NEEDED */
  checkKey({ caller, request, key }: NewCall): void {
    if (key !== undefined) return
    for (const info of this.#channels.get(request.name)?.waiting ?? [])
      if (info.caller === caller && this.#isOpen(info))
        throw new AlmanacError('ALM_KEY_NEEDED', { what: 'receive' })
  }

  open(info: CallInfo): void {
    // like a task that a dry run does not start
    if (this.#run.settings.dryRun) return
    const { name, expected } = info.request
    const { title, schema, timeoutMs } = expected as ExpectedInput
    const ask: AskRecord = {
      kind: 'ask',
      call: info.id,
      title,
      schemaWire: JSON.stringify(schema),
      showWire: encode(null),
      of: 'receive',
      name,
      at: this.#run.ports.clock.now(),
    }
    this.#run.recorder.add(ask)
    this.#run.listener.asked?.(ask)
    const channel = this.#channel(name)
    channel.waiting.push(info)
    this.#serve(channel)
    if (timeoutMs !== null) this.#run.at(info.madeAt + timeoutMs, () => void this.#timedOut(channel, info))
  }

  /** Looks for messages that came meanwhile. */
  async look(): Promise<void> {
    for (const channel of this.#channels.values()) this.#serve(channel)
    await Promise.all([...this.#channels.values()].map(({ serving }) => serving))
  }

  #channel(name: string): Channel {
    let channel = this.#channels.get(name)
    if (channel === undefined) {
      channel = { name, waiting: new Queue(), queue: new Queue(), after: 0, serving: undefined }
      this.#channels.set(name, channel)
    }
    return channel
  }

  /** What came before it is looked at counts, however late that is. */
  async #timedOut(channel: Channel, info: CallInfo): Promise<void> {
    await channel.serving
    this.#serve(channel)
    await channel.serving
    if (!this.#isOpen(info)) return
    const error = errorRecord('ALM_RECEIVE_TIMEOUT', { name: channel.name }, { call: info.id })
    this.#run.outcomes.set(info.id, { error })
    this.#host.left(info, failedError, error)
  }

  #serve(channel: Channel): void {
    if (this.#first(channel) === undefined || channel.serving !== undefined) return
    this.#busy++
    channel.serving = this.#served(channel)
      .catch((error: unknown) => this.#run.abort(error))
      .finally(() => {
        this.#busy--
        channel.serving = undefined
        this.#host.rested()
      })
  }

  async #served(channel: Channel): Promise<void> {
    for (let info = this.#first(channel); info !== undefined; info = this.#first(channel)) {
      if (channel.queue.isEmpty) await this.#read(channel)
      const message = channel.queue.peek()
      if (message === undefined) return
      const value = await this.#checked(info, message)
      // it may have ended meanwhile: then the next one that waits has it
      if (this.#first(channel) !== info) continue
      channel.queue.shift()
      if (value === undefined) continue
      channel.waiting.shift()
      info.message = message.seq
      this.#run.outcomes.set(info.id, { value: value.of })
      this.#host.left(info, executed)
    }
  }

  /** Does it still wait? */
  #isOpen(info: CallInfo): boolean {
    return this.#run.isIn(info, 'entered')
  }

  /** The first that waits. */
  #first({ waiting }: Channel): CallInfo | undefined {
    for (let info = waiting.peek(); info !== undefined; info = waiting.peek()) {
      if (this.#isOpen(info)) return info
      waiting.shift()
    }
    return undefined
  }

  async #read(channel: Channel): Promise<void> {
    const messages = await this.#run.ports.journal.incoming(this.#run.id, {
      name: channel.name,
      after: channel.after,
    })
    for (const message of messages) channel.queue.push(message)
    channel.after = messages.at(-1)?.seq ?? channel.after
  }

  /** What counts of a message; one that does not fit is set aside. */
  async #checked(info: CallInfo, message: Message): Promise<{ readonly of: Value } | undefined> {
    const { check } = info.request
    try {
      const value = decode(message.valueWire)
      return { of: check === undefined ? value : await check(value) }
    } catch (failure) {
      const error = recordOf(failure)
      const { recorder, notes, ports } = this.#run
      recorder.add({
        kind: 'aside',
        call: info.id,
        message: message.seq,
        error,
        at: ports.clock.now(),
      })
      const body = `message ${message.seq} was set aside: ${error.message}`
      notes.add({ type: 'warning', name: info.request.name, body })
      return undefined
    }
  }
}
