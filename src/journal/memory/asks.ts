import type { AskRecord, RunId } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import type { Answer, AskQuery, Callback } from '../../ports/journal.ts'
import { closedAsk } from '../refusals.ts'
import type { AskMemory, MemoryStore, RunMemory } from './store.ts'

/** An answer of which nothing is recorded yet stays, unless the question is to be answered again. What ended before does not count. */
export function putAsk(run: RunMemory, record: AskRecord): void {
  const before = run.asks.get(record.call)
  const kept = record.again === true || before?.ended === true ? undefined : before
  run.asks.set(record.call, {
    record: { ...record },
    answer: kept?.answer,
    taken: kept?.taken ?? false,
    ended: false,
  })
}

/** @throws ALM_ASK_CLOSED */
export function answerAsk(run: RunMemory, answer: Answer): void {
  const ask = run.asks.get(answer.call)
  if (ask === undefined || !isOpen(ask)) throw closedAsk(run.record.id, answer.call)
  ask.answer = { ...answer }
}

const isOpen = (ask: AskMemory): boolean => ask.answer === undefined && !ask.ended

/** Answers that their owner has not got yet, in order of call. */
export function takeAnswers(run: RunMemory): Answer[] {
  const answers: Answer[] = []
  for (const ask of run.asks.values()) {
    if (ask.answer === undefined || ask.taken || ask.ended) continue
    ask.taken = true
    answers.push({ ...ask.answer })
  }
  return answers.sort((a, b) => a.call - b.call)
}

/** What an owner took and did not record died with it: the next one gets it again. */
export function giveBackAnswers(run: RunMemory): void {
  for (const ask of run.asks.values()) ask.taken = false
}

export function listAsks(
  store: MemoryStore,
  run: RunId | undefined,
  { open, of, call }: AskQuery,
): (AskRecord & { run: RunId })[] {
  const ids = run === undefined ? [...store.runs.keys()] : [run]
  const asks = ids.flatMap((id) =>
    [...(store.runs.get(id)?.asks.values() ?? [])]
      .filter((ask) => isOpen(ask) === open)
      .filter(({ record }) => of === undefined || (record.of ?? 'person') === of)
      .filter(({ record }) => call === undefined || record.call === call)
      .sort((a, b) => a.record.call - b.record.call)
      .map((ask) => ({ ...ask.record, run: id })),
  )
  return asks.slice(0, 1000)
}

export function findCallback(store: MemoryStore, token: Digest): Callback | undefined {
  for (const [run, { asks }] of store.runs) {
    for (const ask of asks.values())
      if (ask.record.token === token) return { ...ask.record, run, isOpen: isOpen(ask) }
  }
  return undefined
}
