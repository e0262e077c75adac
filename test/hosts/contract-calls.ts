import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as programs from './call-programs.ts'
import { called, type Stage, succeeded, twice } from './stage.ts'

/** Calls: equal ones, many, those of children, what is remembered. */
export function callTests(stage: Stage): void {
  it('equal calls are apart by their order, or by keys; what holds futures is known when it is needed', async () => {
    const life = await twice(stage, 'equal', programs.equalCalls)
    expect(life).toMatchObject(succeeded({ twice: [2, 2], keyed: [2, 2], nested: { of: [4, { deep: 6 }] } }))
    expect(called(life)).toEqual([
      ...Array<string>(6).fill('main task double'),
      ...Array<string>(2).fill('main view all'),
    ])
    expect(life.executed).toBe(6)
  })

  // plain functions wait for one thing at a time
  if (stage.style === 'async') arrivalTests(stage)

  mapTests(stage)
  childTests(stage)
  declaredTests(stage)
  directoryTests(stage)

  it('time and chance are remembered, and what was said is said once', async () => {
    const life = await twice(stage, 'remembered', programs.remembered)
    expect(life.state).toBe('succeeded')
    expect(life.notes).toEqual([
      'event begun {"n":1}',
      'metric figure {"value":0.5,"step":2}',
      'artifact page {"kind":"markdown","text":"It **went**."}',
      'artifact rows {"kind":"table","rows":[{"n":1,"at":null}]}',
      'progress progress {"done":1,"total":2}',
      'progress progress {"done":2}',
    ])
    expect(called(life)).toEqual(['main now now', 'main random random', 'main sleep sleep'])
  })

  it('commands and scripts: files and values between them, exit codes that are tried again, failures', async () => {
    const life = await twice(stage, 'programs', programs.programTasks)
    expect(life).toMatchObject(succeeded({ size: 5, page: 5, codes: ['ALM_TASK_EXIT', 'ALM_TASK_EXIT'] }))
    expect(life.calls.map(({ at, attempt }) => `${at} ${attempt}`)).toEqual([
      'main task write 1',
      'main task ends 2',
      'main task ends 1',
      'main task size 1',
      'main view all 0',
    ])
  })

  it('documents: read, written, merged, and declared by tasks', async () => {
    const life = await twice(stage, 'documents', programs.documents)
    expect(life).toMatchObject(
      succeeded({
        before: { value: { gain: 1, flags: [] }, version: 0 },
        first: 2,
        put: { value: { gain: 3, flags: ['A'] }, version: 1 },
        patched: { value: { gain: 5, flags: ['A'] }, version: 2 },
        second: 10,
        version: 2,
      }),
    )
    expect(called(life)).toEqual([
      'main get workflow/calibration',
      'main task image',
      'main put workflow/calibration',
      'main patch workflow/calibration',
      'main get workflow/calibration',
      'main task image',
      'main view all',
    ])
  })
}

function arrivalTests(stage: Stage): void {
  it('what arrives first does so again', async () => {
    const life = await twice(stage, 'arrivals', programs.arrivals)
    expect(life).toMatchObject(succeeded({ order: expect.any(Array), values: [16, 2, 4] }))
    expect(life.executed).toBe(7)
  })
}

function directoryTests(stage: Stage): void {
  it('maps over directories, filters them by what a map gave, and publishes them', async () => {
    const raw = join(stage.rig.folder, 'raw')
    mkdirSync(raw)
    writeFileSync(join(raw, 'a.txt'), 'a')
    writeFileSync(join(raw, 'b.txt'), 'b b')
    const file = stage.write('directories', programs.directories)
    const first = await stage.rig.run(file, { dirs: { raw } })
    expect(first).toMatchObject({
      ...succeeded({ version: 1, entries: 3, words: [1, 2], named: 1 }),
      executed: 2,
    })
    writeFileSync(join(raw, 'c.txt'), 'c c c')
    expect(await stage.rig.run(file, { dirs: { raw } })).toMatchObject({
      ...succeeded({ version: 2, entries: 5, words: [1, 2, 3], named: 2 }),
      executed: 1,
      reused: 2,
    })
  })

  it('what is skipped has no value, nor has what needs it', async () => {
    const life = await twice(stage, 'skipped', programs.skipped)
    expect(life).toMatchObject(succeeded({ how: [2, 'ALM_UPSTREAM', 6], code: 'ALM_UPSTREAM' }))
  })
}

function declaredTests(stage: Stage): void {
  it('what they give is what they declare, also where it is known late', async () => {
    const life = await twice(stage, 'declared', programs.declared)
    const parts = [
      { n: 1, twice: 2 },
      { n: 2, twice: 4 },
    ]
    expect(life).toMatchObject(succeeded({ parts }))
    expect(called(life)).toEqual([
      'main child part',
      'main/part#0 task double',
      'main/part#0 view all',
      'main child part',
      'main view all',
      'main/part#1 task double',
      'main/part#1 view all',
    ])
  })
}

function mapTests(stage: Stage): void {
  it('maps: of functions with steps, of tasks over lists that are known and over those that are not', async () => {
    const first = await twice(stage, 'mapped', programs.mapped, { items: [1, 2] })
    expect(first).toMatchObject(succeeded({ branches: [4, 8], calls: [2, 4], later: [4, 6] }))
    const more = await stage.rig.run(join(stage.rig.folder, `mapped.${stage.language}`), {
      input: { items: [2, 3] },
    })
    expect(more).toMatchObject(succeeded({ branches: [8, 12], calls: [4, 6], later: [6, 8] }))
    // branches are side by side
    expect(called(first).toSorted()).toEqual(
      [
        'main child steps',
        'main child steps',
        'main view all',
        'main/steps:1 task double',
        'main/steps:2 task double',
        'main/steps:1 task double',
        'main/steps:2 task double',
        'main task double',
        'main task double',
        'main view all',
        'main view all',
        'main map double',
        'main view all',
        'main/double#0 entry double',
        'main/double#0 entry double',
      ].toSorted(),
    )
  })
}

function childTests(stage: Stage): void {
  it('children and stages: their calls are their own, their failures their callers’', async () => {
    const life = await twice(stage, 'children', programs.children)
    const why = 'below -1'
    expect(life).toMatchObject(succeeded({ values: [6, 6], staged: 2, why, misfit: 'ALM_SCHEMA' }))
    expect(called(life)).toEqual([
      'main child child',
      'main/child#0 child child',
      'main/child#0/child#0 child child',
      'main/child#0/child#0 task double',
      'main/child#0 task double',
      'main task double',
      'main child child',
      'main/child:b child child',
      'main/child:b/child#0 child child',
      'main/child:b/child#0 task double',
      'main/child:b task double',
      'main child last',
      'main/last#0 child child',
      'main/last#0/child#0 child child',
      'main/last#0/child#0 task double',
      'main child child',
      'main child child',
    ])
  })
}
