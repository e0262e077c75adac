import { expect, it } from 'vitest'
import { type Retention, retire } from '../../src/engine/retention.ts'
import type { RetentionConfig } from '../../src/flow/config.ts'
import { openMemoryJournal } from '../../src/journal/memory/open.ts'
import type { RunRecord } from '../../src/model/records.ts'
import { aCall, aDigest, aRun } from '../../src/testing/journal-records.ts'
import { retentionRules } from '../../src/wiring/retention-rules.ts'

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
    pinned: () => Promise.resolve(new Set<string>()),
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

const nothing = { runs: 0, logs: 0, versions: 0, results: 0, resultBytes: 0, unused: [] }

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

it('never forgets a version that somebody reads, however old it is', async () => {
  const { ports, left, all } = await fill()
  const pinned = () => Promise.resolve(new Set([aDigest('d0')]))
  expect(await retire({ ...ports, pinned }, { versions: { count: 1 } }, false)).toMatchObject({ versions: 1 })
  expect(await left()).toEqual({ ...all, versions: [3, 1] })
  expect(await retire(ports, { versions: { count: 1 } }, false)).toMatchObject({ versions: 1 })
  expect(await left()).toEqual({ ...all, versions: [3] })
})

const ofDatasets: readonly (readonly [string, RetentionConfig, readonly number[], readonly string[]])[] = [
  ['by its name', { datasets: { raw: { count: 2 } } }, [3, 2], []],
  ['by a pattern', { datasets: { 'ra*': { count: 1 } } }, [3], []],
  ['by its name before a pattern', { datasets: { '**': { count: 1 }, raw: { count: 2 } } }, [3, 2], []],
  ['by the first pattern', { datasets: { 'r*': {}, '**': { count: 1 } } }, [3, 2, 1], []],
  ['and not by the rule for all', { versions: { count: 1 }, datasets: { raw: { age: '30d' } } }, [3, 2], []],
  ['or by the rule for all', { versions: { count: 1 }, datasets: { 'raw/**/x': {} } }, [3], ['raw/**/x']],
  ['but for versions that it names', { datasets: { raw: { count: 1, keep: [1, 9] } } }, [3, 1], []],
  ['and says which rule fits none', { datasets: { row: { count: 1 } } }, [3, 2, 1], ['row']],
]

it.each(ofDatasets)('keeps versions of a dataset %s', async (_how, config, versions, unused) => {
  const { ports, left, all } = await fill()
  expect(await retire(ports, retentionRules(config), false)).toMatchObject({ unused })
  expect(await left()).toEqual({ ...all, versions })
})

it.each([
  [{ versions: 20 }, 'retention.versions: it is an object, like { count: 20 }'],
  [{ version: {} }, 'retention.version: it is runs, logs, versions, cache or datasets'],
  [{ runs: { bytes: '1GiB' } }, 'retention.runs.bytes: it is count or age'],
  [{ logs: { count: 3 } }, 'retention.logs.count: it is age'],
  [{ cache: { bytes: 'much' } }, "retention.cache.bytes: it is a size like '50GiB'"],
  [{ datasets: ['raw'] }, 'retention.datasets: it is an object, like { count: 20 }'],
  [{ datasets: { raw: { count: -1 } } }, 'retention.datasets["raw"].count: it is a whole number'],
  [{ datasets: { raw: { age: 'old' } } }, `retention.datasets["raw"].age: it is a duration like '30d'`],
  [
    { datasets: { raw: { keep: ['final'] } } },
    'retention.datasets["raw"].keep: it is a list of numbers of versions, like [3, 12]',
  ],
  [{ datasets: { raw: { tags: [] } } }, 'retention.datasets["raw"].tags: it is count, age or keep'],
  [
    { datasets: { '/raw': {} } },
    `retention.datasets["/raw"]: it is the name of a dataset, or a pattern like 'raw/*' or 'raw/**'`,
  ],
  [
    { datasets: { 'raw/../x': {} } },
    `retention.datasets["raw/../x"]: no name has '.', '..' or nothing between its slashes`,
  ],
])('refuses %o, and says where it is wrong', (config, why) => {
  expect(() => retentionRules(config as RetentionConfig)).toThrow(why)
})
