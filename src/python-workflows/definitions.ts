import { definitionKey } from '../flow/callable.ts'
import { command, script } from '../flow/command.ts'
import { container } from '../flow/container.ts'
import type { TaskDefinition } from '../flow/definition.ts'
import { python } from '../flow/python.ts'
import { dir, file, json, type Shape } from '../flow/schema.ts'
import { url } from '../flow/url.ts'
import type { ToldDocuments } from './documents.ts'
import type { DescribedTask } from './messages.ts'

/** A task of Python as a definition: its options are checked as any task's are. @throws ALM_OPTION_REFUSED, ALM_NAME_REFUSED */
export function definitionFrom(described: DescribedTask, documents: ToldDocuments): TaskDefinition {
  const { name, options, file: from, line, env } = described
  const shapes = {
    ...(described.inputs !== null && { input: shapeOf(described.inputs) }),
    ...(described.outputs !== null && { output: shapeOf(described.outputs) }),
  }
  // `defineTask` says what is wrong with names and values that came from elsewhere
  const context = Object.entries(described.context).map(([as, one]) => [as, documents.of(one)] as const)
  const declared = context.length > 0 && { context: Object.fromEntries(context) }
  const common = { ...options, ...shapes, ...declared, name } as never as { readonly name: string }
  const made = (): { readonly [definitionKey]: unknown } => {
    switch (described.kind) {
      case 'python':
        return python.task({ ...common, run: `${from}:${described.function}`, ...(env && { env }) })
      case 'command':
        return command.task({ ...common, run: (described.run ?? []) as [string] })
      case 'script':
        return script.task({ ...common, lang: described.lang as 'bash', source: described.source ?? '' })
      case 'container':
        return container.task({ ...common, ...described.container, image: described.container?.image ?? '' })
    }
  }
  const definition = made()[definitionKey] as TaskDefinition
  const spec = { ...definition.spec, definedAt: { file: from, line } }
  return { ...definition, spec, request: { ...definition.request, task: spec } }
}

const kinds = { file: () => file(), dir: () => dir(), url: () => url(), value: () => json() } as const

type Kinds = Readonly<Record<string, keyof typeof kinds | { readonly file: string }>>

const shapeOf = (described: Kinds): Shape =>
  Object.fromEntries(
    Object.entries(described).map(([name, kind]) => [
      name,
      typeof kind === 'object' ? file(kind.file) : kinds[kind](),
    ]),
  )
