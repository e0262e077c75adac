import { isShown } from '../../model/call-kinds.ts'
import type { CallMade } from '../../model/records.ts'
import type { CallState } from '../../model/states.ts'
import type { TaskSummary } from '../../ports/journal.ts'
import { taskCountersOf } from '../counters.ts'
import { TaskSources } from '../task-sources.ts'
import type { RunMemory } from './store.ts'

type Figures = Omit<{ -readonly [K in keyof TaskSummary]: TaskSummary[K] }, 'counts' | 'inputs'> & {
  readonly counts: Map<CallState, number>
  readonly inputs: Set<string>
}

/** What a run did by task. */
export function listTasks(run: RunMemory): TaskSummary[] {
  const call = (id: number): CallMade => run.calls.get(id) as CallMade
  const sources = new TaskSources<string>(
    (id) => (run.calls.has(id) ? { name: call(id).name, kind: call(id).call_kind } : undefined),
    (id) => call(id).argsWire,
  )
  const tasks = new Map<string, Figures>()
  for (const id of run.ids) {
    const { name, call_kind: kind, argsWire } = call(id)
    const taken = sources.add(id, kind, argsWire)
    if (!isShown(kind)) continue
    const figures = tasks.get(name) ?? newFigures(name, kind)
    tasks.set(name, figures)
    const { state, calls, executed, reused, costMs } = taskCountersOf(kind, run.outcomes.get(id))
    if (calls > 0) figures.counts.set(state, (figures.counts.get(state) ?? 0) + calls)
    figures.calls += calls
    figures.executed += executed
    figures.reused += reused
    figures.costMs += costMs
    for (const input of taken) if (input !== name) figures.inputs.add(input)
  }
  const names = [...tasks.keys()]
  return [...tasks.values()].map(({ counts, inputs, ...figures }) => ({
    ...figures,
    counts: Object.fromEntries(counts),
    inputs: names.filter((name) => inputs.has(name)),
  }))
}

const newFigures = (name: string, kind: CallMade['call_kind']): Figures => ({
  name,
  kind,
  calls: 0,
  counts: new Map(),
  executed: 0,
  reused: 0,
  costMs: 0,
  inputs: new Set(),
})
