import { relative, resolve } from 'node:path'
import { follow } from '../follow.ts'
import { readInput } from '../inputs.ts'
import { type ExecuteFlags, withAlmanac } from '../session.ts'

export interface RunFlags extends ExecuteFlags {
  readonly input?: readonly string[]
  readonly params?: string
  readonly name?: string
  readonly tag?: readonly string[]
}

/** `almanac run FILE` */
export function runCommand(file: string, flags: RunFlags): Promise<void> {
  return withAlmanac({ ...flags, near: resolve(file) }, async (almanac, printer) => {
    const { workflow, loaded, inputSchema } = await almanac.load(resolve(file))
    const given = { inputs: flags.input ?? [], ...(flags.params !== undefined && { params: flags.params }) }
    const input = await readInput(inputSchema, given, (path) => almanac.data.scan(path))
    return follow(printer, flags, (options) =>
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
