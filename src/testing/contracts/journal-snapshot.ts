import { plainCall } from '../../model/remembered.ts'
import type { JournalPorts } from '../../ports/journal-ports.ts'

/** All that a journal tells of its runs and of some cache entries, as plain JSON. */
export async function journalSnapshot({
  journal,
  records,
  cache,
  datasets,
  documents,
}: JournalPorts): Promise<unknown> {
  const runs = await records.runs({ limit: 1000 })
  const perRun: Record<string, unknown> = {}
  for (const { id } of runs) {
    const calls = await records.calls(id, { limit: 1000 })
    const messages = await records.messages(id, { limit: 1000 })
    perRun[id] = {
      load: (await journal.load(id)).map(plainCall),
      calls,
      attempts: await Promise.all(calls.map(({ call }) => records.attempts(id, call))),
      parts: await Promise.all(calls.map(async ({ call }) => (await records.parts(id, call)) ?? null)),
      notes: await records.notes(id, { limit: 1000 }),
      open: await records.asks(id, { open: true }),
      closed: await records.asks(id, { open: false }),
      taken: await journal.take(id),
      // journals of the first versions have none
      ...(messages.length > 0 && { messages }),
    }
  }
  const names = [...new Set(Object.values(perRun).flatMap((run) => namesOf(run)))]
  const roots: string[] = []
  for await (const digest of cache.roots()) roots.push(digest)
  const rows = await datasets.list('default', { limit: 1000 })
  const versions = await Promise.all(
    rows.map(({ dataset }) =>
      datasets.versions({ environment: 'default', dataset, partition: '' }, { limit: 1000 }),
    ),
  )
  const written = await documents.list('default', { limit: 1000 })
  return JSON.parse(
    JSON.stringify({
      runs,
      perRun,
      nearest: await Promise.all(names.map(async (name) => (await cache.nearest(name)) ?? null)),
      roots: [...new Set(roots)].sort(),
      // journals of the first versions have none
      ...(rows.length > 0 && { datasets: rows, versions }),
      ...(written.length > 0 && { documents: written }),
    }),
  )
}

const namesOf = (run: unknown): string[] =>
  (run as { calls: { name: string }[] }).calls.map(({ name }) => name)
