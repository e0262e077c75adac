import { decode } from '../../model/codec.ts'
import { FutureRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { addCall, isShown, type TaskFigures } from '../by-task.ts'
import { allCalls, type CallRow, knownRun } from '../calls.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'

export interface GraphFlags extends CommonFlags {
  readonly mermaid?: boolean
}

/** Calls of one task, folded into one node. */
interface Node extends TaskFigures {
  readonly name: string
  readonly inputs: ReadonlySet<string>
}

/** `almanac graph RUN`: tasks and what they take from each other, folded by task. */
export function graphCommand(run: string, flags: GraphFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const { id, workflow } = await knownRun(almanac, run)
    const fold = new Fold()
    for await (const call of allCalls(almanac, id)) fold.add(call)
    const nodes = fold.nodes()
    for (const { name, calls, counts, executed, reused, inputs } of nodes)
      printer.object({ kind: 'task', name, calls, states: counts, executed, reused, inputs: [...inputs] })
    for (const line of flags.mermaid === true ? mermaid(nodes) : text(workflow, nodes)) printer.line(line)
    return 0
  })
}

/**
 * The calls of a run by task. What is derived (`all`, `filter`, a part of a directory, …) is no node: whoever takes it
 * takes what it is derived from, call by call, so that views of different calls are not taken for each other.
 */
class Fold {
  readonly #figures = new Map<string, TaskFigures>()
  readonly #inputs = new Map<string, Set<string>>()
  /** of each call, the tasks that whoever takes it takes from */
  readonly #sources = new Map<number, readonly string[]>()

  add(call: CallRow): void {
    addCall(this.#figures, call)
    const taken = new Set(inputsOf(decode(call.argsWire)).flatMap((input) => this.#sources.get(input) ?? []))
    if (!isShown(call.call_kind)) {
      this.#sources.set(call.call, [...taken])
      return
    }
    this.#sources.set(call.call, [call.name])
    const inputs = this.#inputs.get(call.name) ?? new Set()
    this.#inputs.set(call.name, inputs)
    for (const name of taken) if (name !== call.name) inputs.add(name)
  }

  nodes(): Node[] {
    return [...this.#figures].map(([name, figures]) => ({
      name,
      ...figures,
      inputs: this.#inputs.get(name) ?? new Set(),
    }))
  }
}

function inputsOf(args: Value, found: number[] = []): number[] {
  if (args instanceof FutureRef) found.push(args.call)
  else if (Array.isArray(args)) for (const item of args) inputsOf(item, found)
  else if (args !== null && typeof args === 'object' && Object.getPrototypeOf(args) === Object.prototype) {
    for (const field of Object.values(args)) inputsOf(field as Value, found)
  }
  return found
}

const label = ({ name, calls, counts }: Node): string => {
  const failed = counts['failed'] === undefined ? '' : `, ${counts['failed']} failed`
  return `${name}${calls > 1 ? ` × ${calls}` : ''}${failed}`
}

function text(workflow: string, nodes: readonly Node[]): string[] {
  const lines = [workflow]
  for (const node of nodes)
    lines.push(`  ${label(node)}${node.inputs.size === 0 ? '' : `  ← ${[...node.inputs].join(', ')}`}`)
  return lines
}

function mermaid(nodes: readonly Node[]): string[] {
  const ids = new Map(nodes.map(({ name }, i) => [name, `t${i}`]))
  const lines = ['flowchart LR']
  for (const node of nodes) lines.push(`  ${ids.get(node.name)}["${label(node).replaceAll('"', '#quot;')}"]`)
  for (const { name, inputs } of nodes)
    for (const input of inputs) lines.push(`  ${ids.get(input)} --> ${ids.get(name)}`)
  return lines
}
