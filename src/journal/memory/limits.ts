import type { LimitAnswer, LimitAsk, Limits } from '../../ports/limits.ts'
import { admit, type LimitMeter, type LimitRow, limitStates, meterOf, newRow } from '../limit-rules.ts'

/** Who holds and waits for what, over the journals of a store. */
export interface LimitMemory {
  readonly rows: Map<string, LimitRow & { readonly holder: object }>
  readonly meters: Map<string, LimitMeter>
  readonly watchers: Set<() => void>
  nextTurn: number
}

export const limitMemory = (): LimitMemory => ({
  rows: new Map(),
  meters: new Map(),
  watchers: new Set(),
  nextTurn: 1,
})

/** `holder` is the journal that asks, as a process does. */
export const memoryLimits = (
  limits: LimitMemory,
  holder: { readonly isClosed: boolean },
): Limits & { readonly watchers: Set<() => void> } => {
  const watchers = new Set<() => void>()
  return {
    watchers,
    async ask(asks) {
      // a process that ended takes nothing, and hears of nothing
      if (holder.isClosed) return new Promise<never>(() => undefined)
      return asks.map((one) => answer(limits, holder, one))
    },
    async leave(run) {
      if (holder.isClosed) return
      for (const [id, row] of limits.rows)
        if (row.holder === holder && row.run === run) limits.rows.delete(id)
      wake(limits)
    },
    async list() {
      return limitStates([...limits.rows.values()], [...limits.meters.values()])
    },
    watch(changed) {
      watchers.add(changed)
      limits.watchers.add(changed)
      return () => {
        watchers.delete(changed)
        limits.watchers.delete(changed)
      }
    },
  }
}

function answer(limits: LimitMemory, holder: object, ask: LimitAsk): LimitAnswer {
  for (const rule of ask.rules) limits.meters.set(rule.name, meterOf(rule, limits.meters.get(rule.name)))
  const id = `${ask.run} ${ask.key}`
  const own = limits.rows.get(id) ?? { ...newRow(ask), holder }
  limits.rows.set(id, own)
  const table = { rows: [...limits.rows.values()], meters: limits.meters, nextTurn: limits.nextTurn }
  const { answer: given, wakes } = admit(table, own, ask)
  limits.nextTurn = table.nextTurn
  if (own.held + own.wanted === 0) limits.rows.delete(id)
  if (wakes) wake(limits)
  return given
}

/** Later, as between processes. */
function wake({ watchers }: LimitMemory): void {
  queueMicrotask(() => {
    for (const changed of [...watchers]) changed()
  })
}

/** The process is gone: so is all that it held and waited for. */
export function releaseLimits(limits: LimitMemory, holder: object, watchers: Set<() => void>): void {
  for (const changed of watchers) limits.watchers.delete(changed)
  for (const [id, row] of limits.rows) if (row.holder === holder) limits.rows.delete(id)
}
