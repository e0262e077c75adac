import { expect, it } from 'vitest'
import { type Retention, retire } from '../../src/engine/retention.ts'
import { openMemoryJournal } from '../../src/journal/memory/open.ts'
import type { RunRecord } from '../../src/model/records.ts'
import { aCall, aDigest, aRun } from '../../src/testing/journal-records.ts'

const day = 86_400_000
const now = 100 * day

async function fill() {
  const { journal, records, entries, datasets } = openMemoryJournal()
  const ages: readonly (readonly [id: string, days: number, state: RunRecord['state']])[] = [
    ['r1', 50, 'succeeded'],
    ['r2', 40, 'failed'],
    ['r3', 30, 'waiting'],
    ['r4', 20, 'succeeded'],
    ['r5', 1, 'succeeded'],
  ]
  for (const [id, days, state] of ages) {
    await journal.create(aRun(id, { createdAt: now - days * day }))
    await journal.append(id, [aCall(0), { kind: 'run', state, at: now - days * day }])
  }
  const entry = {
    kind: 'cache' as const,
    name: 'qc',
    call: 0,
    valueWire: '1',
    digest: aDigest('v'),
    blobs: [],
    costMs: 1,
    partsWire: '{}',
    bytes: 10,
  }
  for (const [i, days] of [60, 20, 5].entries())
    await journal.append('r1', [{ ...entry, fingerprint: aDigest(`f${i}`), at: now - days * day }])
  for (const [i, days] of [60, 20, 5].entries())
    await datasets.add({
      environment: 'main',
      dataset: 'raw',
      partition: '',
      digest: aDigest(`d${i}`),
      entries: 1,
      size: 1,
      kept: true,
      maker: 'data add',
      madeAt: now - days * day,
    })
  const logs: string[] = []
  const key = { environment: 'main', dataset: 'raw', partition: '' }
  const ports = {
    records,
    entries,
    datasets,
    environment: 'main',
    now: () => now,
    logs: { remove: async (run: string) => void logs.push(run) },
    removeVersions: (_: string, versions: readonly number[]) => datasets.remove(key, versions, now),
  }
  const left = async () => ({
    runs: (await records.runs({ limit: 9 })).map(({ id }) => id),
    versions: (await datasets.versions(key, { limit: 9 })).map(({ version }) => version),
    results: (await entries.list({ limit: 9 })).map(({ at }) => (now - at) / day),
    logs,
  })
  const all = { runs: ['r5', 'r4', 'r3', 'r2', 'r1'], versions: [3, 2, 1], results: [5, 20, 60], logs: [] }
  return { ports, left, all }
}

const nothing = { runs: 0, logs: 0, versions: 0, results: 0, resultBytes: 0 }

it('keeps everything that no rule speaks of', async () => {
  const { ports, left, all } = await fill()
  expect(await retire(ports, {}, false)).toEqual(nothing)
  expect(await left()).toEqual(all)
})

const cases: readonly (readonly [Retention, object, object])[] = [
  [{ runs: { count: 2 } }, { runs: 2 }, { runs: ['r5', 'r4', 'r3'], logs: ['r2', 'r1'] }],
  [{ runs: { ageMs: 45 * day } }, { runs: 1 }, { runs: ['r5', 'r4', 'r3', 'r2'], logs: ['r1'] }],
  [{ runs: { count: 0 } }, { runs: 4 }, { runs: ['r3'], logs: ['r5', 'r4', 'r2', 'r1'] }],
  [{ logs: { ageMs: 10 * day } }, { logs: 3 }, { logs: ['r4', 'r2', 'r1'] }],
  [{ versions: { count: 2 } }, { versions: 1 }, { versions: [3, 2] }],
  [{ versions: { ageMs: day } }, { versions: 2 }, { versions: [3] }],
  [{ cache: { ageMs: 30 * day } }, { results: 1, resultBytes: 10 }, { results: [5, 20] }],
  [{ cache: { bytes: 15 } }, { results: 2, resultBytes: 20 }, { results: [5] }],
  [{ cache: { count: 2, ageMs: 10 * day } }, { results: 2, resultBytes: 20 }, { results: [5] }],
]

it.each(cases)(
  'forgets what is past %o, says so before, and never a run that may go on',
  async (rules, does, leaves) => {
    const { ports, left, all } = await fill()
    expect(await retire(ports, rules, true)).toEqual({ ...nothing, ...does })
    expect(await left()).toEqual(all)
    expect(await retire(ports, rules, false)).toEqual({ ...nothing, ...does })
    expect(await left()).toEqual({ ...all, ...leaves })
  },
)
