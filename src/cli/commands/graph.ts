import { decode } from '../../model/codec.ts'
import { FutureRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { allCalls, knownRun } from '../calls.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'

export interface GraphFlags extends CommonFlags {
  readonly mermaid?: boolean
}

/** Calls of one task, folded into one node. */
interface Node {
  readonly name: string
  calls: number
  readonly states: Record<string, number>
  readonly inputs: Set<string>
}

/** `almanac graph RUN`: tasks and what they take from each other, folded by task. */
export function graphCommand(run: string, flags: GraphFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const { id, workflow } = await knownRun(almanac, run)
    const nodes = new Map<string, Node>()
    const names = new Map<number, string>()
    for await (const call of allCalls(almanac, id)) {
      names.set(call.call, call.name)
      const node = nodes.get(call.name) ?? { name: call.name, calls: 0, states: {}, inputs: new Set() }
      nodes.set(call.name, node)
      node.calls++
      const state = call.outcome?.state ?? 'waiting'
      node.states[state] = (node.states[state] ?? 0) + 1
      for (const input of inputsOf(decode(call.argsWire))) {
        const name = names.get(input)
        if (name !== undefined && name !== call.name) node.inputs.add(name)
      }
    }
    for (const { name, calls, states, inputs } of nodes.values())
      printer.object({ kind: 'task', name, calls, states, inputs: [...inputs] })
    for (const line of flags.mermaid === true ? mermaid(nodes) : text(workflow, nodes)) printer.line(line)
    return 0
  })
}

function inputsOf(args: Value, found: number[] = []): number[] {
  if (args instanceof FutureRef) found.push(args.call)
  else if (Array.isArray(args)) for (const item of args) inputsOf(item, found)
  else if (args !== null && typeof args === 'object' && Object.getPrototypeOf(args) === Object.prototype) {
    for (const field of Object.values(args)) inputsOf(field as Value, found)
  }
  return found
}

const label = ({ name, calls, states }: Node): string => {
  const failed = states['failed'] === undefined ? '' : `, ${states['failed']} failed`
  return `${name}${calls > 1 ? ` × ${calls}` : ''}${failed}`
}

function text(workflow: string, nodes: ReadonlyMap<string, Node>): string[] {
  const lines = [workflow]
  for (const node of nodes.values()) {
    lines.push(`  ${label(node)}${node.inputs.size === 0 ? '' : `  ← ${[...node.inputs].join(', ')}`}`)
  }
  return lines
}

function mermaid(nodes: ReadonlyMap<string, Node>): string[] {
  const ids = new Map([...nodes.keys()].map((name, i) => [name, `t${i}`]))
  const lines = ['flowchart LR']
  for (const node of nodes.values())
    lines.push(`  ${ids.get(node.name)}["${label(node).replaceAll('"', '#quot;')}"]`)
  for (const node of nodes.values()) {
    for (const input of node.inputs) lines.push(`  ${ids.get(input)} --> ${ids.get(node.name)}`)
  }
  return lines
}
