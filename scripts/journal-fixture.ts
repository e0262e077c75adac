import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrations } from '../src/journal/sqlite/database/migrations.ts'
import { type OpenSqliteJournal, openSqliteJournal } from '../src/journal/sqlite/open.ts'
import type { JournalRecord } from '../src/model/records.ts'
import type { Datasets } from '../src/ports/datasets.ts'
import type { Documents } from '../src/ports/documents.ts'
import { journalSnapshot } from '../src/testing/contracts/journal-snapshot.ts'
import { aCall, aDigest, anAsk, anOutcome, aRun } from '../src/testing/journal-records.ts'
import { root } from './source-files.ts'

/**
 * Makes `test/fixtures/journal-v<n>`: a journal as this version writes it, with what it reads from it. Later versions
 * must read the same. Made once for each version of the database's shape, and never again once that was released.
 */

const folder = join(root, 'test', 'fixtures', `journal-v${migrations.length}`)
if (existsSync(folder)) {
  console.error(`${folder} is there already: a journal of a version that is in use is not made again`)
  process.exit(1)
}

const error = {
  code: 'ALM_TASK_FAILED',
  message: 'ValueError: no',
  type: 'ValueError',
  file: 'steps.py',
  line: 7,
}
const file = (name: string): string =>
  `{"report":{"$":"file","name":"${name}.nc","digest":"${aDigest(name)}","size":12}}`

/** A run with a record of every kind, that succeeded. */
const done: readonly (readonly JournalRecord[])[] = [
  [{ kind: 'run', state: 'running', at: 1100, codeDigest: aDigest('code') }],
  [
    aCall(0, { name: 'index', call_kind: 'map', argsWire: file('raw') }),
    aCall(1, { name: 'größe 試験', keyed: true }),
    aCall(2, { call_kind: 'now', name: 'now' }),
    anOutcome(2, { order: 0, valueWire: '1100' }),
    {
      kind: 'parts',
      call: 0,
      fingerprint: aDigest('fingerprint 0'),
      partsWire: '{"code":"a"}',
      verdict: 'miss',
    },
    { kind: 'note', type: 'stage', name: 'check', bodyWire: '{}', at: 1101 },
  ],
  [
    anOutcome(0, { order: 1, valueWire: file('index'), map: { executed: 3, carried: 40, removed: 1 } }),
    anOutcome(1, { order: 2, reason: 'cached', origin: { run: 'earlier', call: 4 }, costMs: 12.5 }),
    { kind: 'note', call: 1, attempt: 1, type: 'metric', name: 'rmse', bodyWire: '0.25', at: 1102 },
    {
      kind: 'cache',
      fingerprint: aDigest('fingerprint 0'),
      name: 'index',
      call: 0,
      valueWire: file('index'),
      digest: aDigest('value 0'),
      blobs: [aDigest('index'), aDigest('tree')],
      costMs: 300,
      at: 1103,
      partsWire: '{"code":"a"}',
      shownWire: `[{"type":"artifact","name":"report","body":${file('shown')}}]`,
    },
    {
      kind: 'base',
      base: aDigest('base'),
      environment: 'default',
      call: 0,
      input: aDigest('raw'),
      valueWire: file('index'),
      at: 1103,
    },
    { kind: 'run', state: 'succeeded', at: 1200, outputWire: file('index') },
  ],
]

/** A run that failed, was resumed, and waits for a person. */
const waiting: readonly (readonly JournalRecord[])[] = [
  [
    { kind: 'run', state: 'running', at: 2100 },
    aCall(0),
    aCall(1, { name: 'publish' }),
    { kind: 'attempt', call: 1, attempt: 1, phase: 'started', startedAt: 2101, at: 2101 },
    {
      kind: 'attempt',
      call: 1,
      attempt: 1,
      phase: 'failed',
      reason: 'lost',
      spent: false,
      error,
      startedAt: 2101,
      at: 2102,
    },
    anOutcome(0),
    anOutcome(1, { state: 'failed', reason: 'error', error }),
    { kind: 'run', state: 'failed', at: 2110, error, uncaught: [1] },
  ],
  [
    { kind: 'run', state: 'running', at: 2200 },
    { kind: 'forgotten', calls: [1], at: 2200 },
    { kind: 'attempt', call: 1, attempt: 1, phase: 'started', startedAt: 2201, at: 2201 },
    aCall(2, { call_kind: 'ask', name: 'good?' }),
    { ...anAsk(2), to: 'eve' },
    aCall(3, { call_kind: 'ask', name: 'sure?' }),
    anAsk(3),
    { kind: 'run', state: 'waiting', at: 2202 },
  ],
]

/** A dataset with a version of each kind and one that was removed, and one that is scanned. */
async function publish(datasets: Datasets): Promise<void> {
  const key = { environment: 'default', dataset: 'forecast/größe', partition: '' }
  const tree = { entries: 3, size: 40, maker: 'data add', madeAt: 3000 }
  await datasets.add({ ...key, ...tree, digest: aDigest('tree 1'), kept: false })
  await datasets.add({ ...key, ...tree, digest: aDigest('tree 2'), kept: false, run: 'done', call: 4 })
  await datasets.add({ ...key, ...tree, digest: aDigest('tree 3'), kept: true, at: '/data/raw' })
  await datasets.remove(key, [1], 3001)
  const source = { path: '/data/raw', exclude: ['*.x'], settleMs: 1000, keep: true }
  await datasets.setSource({ environment: 'default', dataset: 'raw' }, source, 3002)
}

/** Documents of a workflow, a project and a run, one with two versions. */
async function document(documents: Documents): Promise<void> {
  const calibration = { environment: 'default', scope: 'workflow:imaging', name: 'calibration' }
  const mine = { run: 'done', call: 4, fingerprint: aDigest('print 4'), maker: 'put', madeAt: 3100 }
  await documents.write({ ...calibration, ...mine, json: '{"gain":1,"größe":[1,2]}', seen: 0 })
  await documents.write({ ...calibration, json: '{"gain":2}', maker: 'context set', madeAt: 3101 })
  await documents.write({ ...calibration, ...mine, scope: 'project:alma', name: 'beam', json: '"narrow"' })
  await documents.write({ ...calibration, ...mine, scope: 'run:done', json: 'null' })
}

/** A run that has received a message, sent one to another run, and waits for a message and a callback. */
async function talk(journal: OpenSqliteJournal['journal']): Promise<void> {
  await journal.create(aRun('talks', { createdAt: 2500 }))
  const message = { name: 'steer', by: 'eve', at: 2501 }
  const { seq } = await journal.send('talks', { ...message, valueWire: '{"größe":1}', id: 'id 1' })
  const aside = await journal.send('talks', { ...message, valueWire: file('sent') })
  await journal.append('talks', [
    { kind: 'run', state: 'running', at: 2500 },
    aCall(0, { call_kind: 'receive', name: 'steer' }),
    anOutcome(0, { message: seq }),
    aCall(1, { call_kind: 'send', name: 'found' }),
    { kind: 'sent', call: 1, name: 'found', valueWire: file('found'), at: 2502 },
    anOutcome(1),
    aCall(2, { call_kind: 'send', name: 'steer' }),
    { kind: 'sent', call: 2, name: 'steer', valueWire: '2', to: 'waiting', at: 2503 },
    aCall(3, { call_kind: 'receive', name: 'steer', keyed: true }),
    { ...anAsk(3), of: 'receive', name: 'steer' },
    { kind: 'aside', call: 3, message: aside.seq, error: { ...error, hint: '' }, at: 2504 },
    aCall(4, { call_kind: 'callback', name: 'callback' }),
    { ...anAsk(4), of: 'callback', token: aDigest('token') },
    { kind: 'run', state: 'waiting', at: 2505 },
  ])
}

async function write({ journal, records, datasets, documents }: OpenSqliteJournal): Promise<void> {
  await publish(datasets)
  await document(documents)

  await journal.create(aRun('earlier', { state: 'cancelled', endedAt: 900 }))
  await journal.create(
    aRun('done', { file: 'ingest.ts', name: 'nightly', tags: ['a', 'b'], gitCommit: 'abc' }),
  )
  for (const records of done) await journal.append('done', records)
  await journal.create(aRun('waiting', { createdAt: 2000 }))
  const claim = await journal.claim('waiting', { host: 'host', pid: 42, bootId: 'boot' })
  for (const records of waiting) await journal.append('waiting', records)
  await journal.answer('waiting', 3, 'true', 'eve', 2300)
  await journal.request('waiting', { kind: 'cancel', by: 'ann', at: 2301 })
  await claim?.release()
  await talk(journal)
  const triggeredBy = { run: 'done', call: 3, depth: 1 }
  await journal.create(aRun('triggered', { createdAt: 2900, name: 'report', triggeredBy }))
  await journal.create(aRun('compacted', { createdAt: 3000 }))
  await journal.append('compacted', [
    ...Array.from({ length: 40 }, (_, call) => [
      aCall(call, { name: call % 2 === 0 ? 'even' : 'odd' }),
      anOutcome(
        call,
        call === 9 ? { state: 'failed', reason: 'error', error } : { valueWire: file(`out ${call}`) },
      ),
    ]).flat(),
    { kind: 'run', state: 'failed', at: 3200, error },
  ])
  await records.compact({ endedBefore: 3200 })
}

const home = mkdtempSync(join(tmpdir(), 'almanac-fixture-'))
const first = await openSqliteJournal(home)
await write(first)
await first.close()
const made = join(home, 'made')
const again = await openSqliteJournal(made)
await write(again)
const snapshot = await journalSnapshot(again)
await again.close()
// what reading changed (requests that were taken) is not in the one that is kept
rmSync(made, { recursive: true })
rmSync(join(home, 'locks'), { recursive: true })
writeFileSync(join(home, 'expected.json'), `${JSON.stringify(snapshot, null, 1)}\n`)
cpSync(home, folder, { recursive: true })
rmSync(home, { recursive: true })
console.log(`made ${folder}`)
