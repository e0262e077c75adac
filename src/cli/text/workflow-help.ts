import { readFile } from 'node:fs/promises'
import pc from 'picocolors'
import type { LoadedWorkflow } from '../../workbench.ts'
import { type InputSchema, kindText } from '../input/schemas.ts'
import { nextCommand } from '../output/command-text.ts'
import type { Printer } from '../output/printer.ts'
import { relativePath } from './paths.ts'
import { table } from './table.ts'

/** Says what a workflow does, by the comment above it or at the head of its file, and what it takes. */
export async function printWorkflowHelp(
  { name, definedAt, loaded, inputSchema }: LoadedWorkflow,
  printer: Printer,
): Promise<void> {
  const given: InputSchema = inputSchema ?? {}
  const does =
    given.description ??
    aboutText(await readFile(loaded.file, 'utf8'), definedAt?.file === loaded.file ? definedAt.line : 0)
  printer.object({
    kind: 'workflow',
    name,
    file: loaded.file,
    about: does ?? null,
    input: inputSchema ?? null,
  })
  printer.line(pc.bold(name))
  if (does !== undefined) for (const line of does.split('\n')) printer.line(line === '' ? '' : `  ${line}`)
  printer.line()
  for (const line of inputLines(inputSchema)) printer.line(line)
  printer.line()
  printer.line(pc.dim(nextCommand(`run ${relativePath(loaded.file)}${exampleText(inputSchema)}`)))
  printer.line()
}

function inputLines(schema: InputSchema | undefined): string[] {
  if (schema === undefined) return ['It takes no inputs.']
  if (schema.properties === undefined)
    return ['Its schema does not tell what it takes: give it by --params FILE.']
  const required = new Set(schema.required)
  const rows = Object.entries(schema.properties).map(([name, field]) => [
    `  ${name}`,
    kindText(field),
    field.default !== undefined
      ? `if absent: ${JSON.stringify(field.default)}`
      : required.has(name)
        ? ''
        : 'may be absent',
    field.description ?? '',
  ])
  return rows.length === 0 ? ['It takes no inputs.'] : ['Inputs, as -i NAME=VALUE:', ...table(rows)]
}

/** What must be given. */
const exampleText = (schema: InputSchema | undefined): string =>
  Object.entries(schema?.properties ?? {})
    .filter(([name, field]) => field.default === undefined && schema?.required?.includes(name) === true)
    .map(([name, field]) => ` -i ${name}=${kindText(field)}`)
    .join('')

/** The comment right above a line, else the one that the file begins with. */
function aboutText(source: string, line: number): string | undefined {
  const above = source
    .split('\n')
    .slice(0, Math.max(0, line - 1))
    .join('\n')
  const own = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(above)?.[1]
  const head = /^(?:#![^\n]*\n)?\s*\/\*\*?((?:(?!\*\/)[\s\S])*)\*\//.exec(source)?.[1]
  const text = (own ?? head)
    ?.split('\n')
    .map((one) => one.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim()
  return text === '' ? undefined : text
}
