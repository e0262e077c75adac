import { accessSync, constants } from 'node:fs'
import pc from 'picocolors'
import type { Workbench } from '../../workbench.ts'
import { type CommonFlags, withAlmanac } from '../session.ts'
import { sizeText } from '../words.ts'

export interface DoctorFlags extends CommonFlags {
  readonly data?: boolean
}

interface Finding {
  readonly what: string
  readonly ok: boolean
  readonly says: string
}

/** `almanac doctor`: is everything there and sound? With `--data` all kept content is read. */
export function doctorCommand(flags: DoctorFlags): Promise<void> {
  return withAlmanac(flags, async (almanac, printer) => {
    let sick = false
    for await (const finding of findings(almanac, flags.data === true)) {
      sick ||= !finding.ok
      printer.object({ kind: 'finding', ...finding })
      printer.line(`${finding.ok ? pc.green('✓') : pc.red('✗')} ${finding.what.padEnd(12)} ${finding.says}`)
    }
    return sick ? 1 : 0
  })
}

async function* findings(almanac: Workbench, data: boolean): AsyncIterable<Finding> {
  yield { what: 'node', ok: true, says: process.version }
  yield { what: 'home', ok: isWritable(almanac.home), says: almanac.home }
  const { journal, store } = await almanac.maintenance.check({ data })
  yield {
    what: 'journal',
    ok: journal.length === 0,
    says: journal.length === 0 ? 'sound' : journal.join('; '),
  }
  if (store !== undefined) {
    yield {
      what: 'data',
      ok: store.damaged.length === 0,
      says: `${store.blobs} files, ${sizeText(store.bytes)}, ${store.damaged.length} damaged`,
    }
    for (const { digest, why } of store.damaged)
      yield {
        what: 'damaged',
        ok: false,
        says: `${digest}: ${why}; what made it runs again when it is needed`,
      }
  }
  for (const run of await almanac.records.runs({ limit: 100, states: ['running', 'cancelling'] })) {
    const claim = await almanac.journal.claim(run.id, { host: '', pid: process.pid, bootId: '' })
    if (claim === undefined) continue
    await claim.release()
    yield { what: 'run', ok: true, says: `${run.id} has no process any more: almanac resume ${run.id}` }
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
