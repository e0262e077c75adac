import { relative, resolve } from 'node:path'
import { follow } from '../follow/follow.ts'
import { exitCodes } from '../output/printer.ts'
import { loadNamed, workflowFile } from '../runs/workflow-of-run.ts'
import { type ExecuteFlags, type Near, withAlmanac, withReadAlmanac } from '../session.ts'

export interface RunFlags extends ExecuteFlags {
  readonly input?: readonly string[]
  readonly params?: string
  readonly name?: string
  readonly tag?: readonly string[]
  readonly help?: boolean
}

/** `almanac run FILE`; with `--help` only what its workflow does and takes, then `help` on the command. */
export async function runCommand(file: string, flags: RunFlags, help: () => void): Promise<void> {
  const near = resolve(workflowFile(file).file)
  if (flags.help === true) return helpCommand(file, { ...flags, near }, help)
  return withAlmanac({ ...flags, near }, async (almanac, printer) => {
    const { workflow, loaded, inputSchema } = await loadNamed(almanac, file)
    const isCoded = flags.beside !== undefined
    const params = flags.params === undefined ? {} : { params: flags.params, isCoded }
    const given = { inputs: flags.input ?? [], file: loaded.file, ...params }
    // what reads schemas costs time to load, and is loaded with the workflow anyway
    const { readInput } = await import('../input/inputs.ts')
    const input = await readInput(inputSchema, given, (path) => almanac.data.scan(path), almanac.lookUrl)
    return follow(printer, flags, almanac, (options) =>
      almanac.start(workflow, input, {
        ...options,
        file: relative(almanac.project, loaded.file),
        codeDigest: loaded.digest,
        ...(flags.name !== undefined && { name: flags.name }),
        ...(flags.tag !== undefined && { tags: flags.tag }),
      }),
    )
  })
}

function helpCommand(file: string, flags: RunFlags & Near, help: () => void): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const { printWorkflowHelp } = await import('../text/workflow-help.ts')
    await printWorkflowHelp(await loadNamed(almanac, file), printer)
    if (!printer.json) help()
    return exitCodes.done
  })
}
