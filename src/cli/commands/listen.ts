import { once } from 'node:events'
import { nextCommand } from '../command-text.ts'
import { type InputSchema, misfit } from '../schemas.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'

export interface ListenFlags extends CommonFlags {
  readonly listen?: string
}

/** `almanac listen`: takes callbacks of all runs of the project, until it is interrupted. */
export function listenCommand(flags: ListenFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const listener = await almanac.listen({
      ...(flags.listen !== undefined && { listen: flags.listen }),
      misfit: (schema, value) => misfit(schema as InputSchema, value),
      accepted: (run, call) => {
        printer.object({ kind: 'called', run, call })
        printer.line(`Run ${run} was called back. If no process runs it: ${nextCommand(`resume ${run}`)}`)
      },
    })
    printer.object({ kind: 'listening', address: listener.address, url: listener.url })
    printer.line(`Listening on ${listener.address} for ${listener.url}/callbacks/…`)
    const signal = new AbortController()
    const stop = (name: NodeJS.Signals) =>
      once(process, name, { signal: signal.signal }).catch(() => undefined)
    await Promise.race([stop('SIGINT'), stop('SIGTERM')])
    signal.abort()
    await listener.close()
    return 0
  })
}
