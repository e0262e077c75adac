import type { AsideRecord, Message, SentMessage, SentRecord } from '../../model/records.ts'
import type { MessageQuery, NewMessage } from '../../ports/journal.ts'
import { asideAmong, incomingAtOnce, receivedId, refuseOver, sentId } from '../message-rules.ts'
import type { MemoryStore, RunMemory } from './store.ts'

/** A message to a run. @throws ALM_RUN_OVER */
export function addMessage(store: MemoryStore, run: RunMemory, message: NewMessage): SentMessage {
  refuseOver(run.record)
  return add(store, run, { direction: 'in', ...message })
}

/** A message that the run sent; one to a run that is gone is only kept as sent. */
export function addSent(store: MemoryStore, run: RunMemory, record: SentRecord): void {
  const { kind: _, to, ...sent } = record
  const id = sentId(record, (of) => run.messages.get(run.messageIds.get(`out ${of}`) ?? -1))
  if (id === undefined) return
  add(store, run, { direction: 'out', ...sent, id, ...(to !== undefined && { run: to }) })
  const other = to === undefined ? undefined : store.runs.get(to)
  if (other === undefined) return
  const from = run.record.id
  const { name, valueWire, at } = sent
  add(store, other, { direction: 'in', name, valueWire, at, run: from, id: receivedId(id, from) })
}

function add(store: MemoryStore, run: RunMemory, message: Omit<Message, 'seq'>): SentMessage {
  const { direction, id } = message
  const key = id === undefined ? undefined : `${direction} ${id}`
  const before = key === undefined ? undefined : run.messageIds.get(key)
  if (before !== undefined) return { seq: before, isNew: false }
  const seq = ++store.messageSeq
  run.messages.set(seq, { ...message, seq })
  if (key !== undefined) run.messageIds.set(key, seq)
  return { seq, isNew: true }
}

export const incomingMessages = (
  run: RunMemory,
  { name, after }: { readonly name: string; readonly after: number },
): Message[] =>
  [...run.messages.values()]
    .filter((one) => one.direction === 'in' && one.name === name && one.seq > after)
    .filter(({ call, error }) => call === undefined && error === undefined)
    .slice(0, incomingAtOnce)
    .map((one) => ({ ...one }))

export const listMessages = (
  run: RunMemory,
  { direction, name, after = 0, aside, limit }: MessageQuery,
): Message[] => {
  const all = [...run.messages.values()]
  const found = (aside === true ? all.slice(-asideAmong).filter(({ error }) => error !== undefined) : all)
    .filter((one) => one.seq > after && (direction === undefined || one.direction === direction))
    .filter((one) => name === undefined || one.name === name)
  return (aside === true ? found.slice(-limit) : found.slice(0, limit)).map((one) => ({ ...one }))
}

export const receiveMessage = (run: RunMemory, seq: number, call: number): void =>
  change(run, seq, ({ error: _, ...message }) => ({ ...message, call }))

export const giveBackMessage = (run: RunMemory, seq: number): void =>
  change(run, seq, ({ call: _, ...message }) => message)

export const setAside = (run: RunMemory, { message: seq, error }: AsideRecord): void =>
  change(run, seq, (message) => ({ ...message, error }))

function change(run: RunMemory, seq: number, to: (message: Message) => Message): void {
  const message = run.messages.get(seq)
  if (message?.direction === 'in') run.messages.set(seq, to(message))
}
