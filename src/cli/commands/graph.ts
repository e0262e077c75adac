import type { Workbench } from '../../workbench.ts'
import { knownRun } from '../runs/calls.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'

export interface GraphFlags extends CommonFlags {
  readonly mermaid?: boolean
}

type Node = Awaited<ReturnType<Workbench['records']['tasks']>>[number]

/** `almanac graph RUN`: tasks and what they take from each other, folded by task. */
export function graphCommand(run: string, flags: GraphFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const { id, workflow } = await knownRun(almanac, run)
    const nodes = await almanac.records.tasks(id)
    for (const { name, calls, counts, executed, reused, inputs } of nodes)
      printer.object({ kind: 'task', name, calls, states: counts, executed, reused, inputs })
    for (const line of flags.mermaid === true ? mermaid(nodes) : text(workflow, nodes)) printer.line(line)
    return 0
  })
}

const label = ({ name, calls, counts }: Node): string => {
  const failed = counts['failed'] === undefined ? '' : `, ${counts['failed']} failed`
  return `${name}${calls > 1 ? ` × ${calls}` : ''}${failed}`
}

function text(workflow: string, nodes: readonly Node[]): string[] {
  const lines = [workflow]
  for (const node of nodes)
    lines.push(`  ${label(node)}${node.inputs.length === 0 ? '' : `  ← ${node.inputs.join(', ')}`}`)
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
