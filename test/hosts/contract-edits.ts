import { expect, it } from 'vitest'
import * as programs from './edit-programs.ts'
import { type Stage, succeeded } from './stage.ts'

/** Edits between a run and its resumption: exactly what they concern is executed again. */
export function editTests(stage: Stage): void {
  it.each(Object.entries(programs.edits))('edited: %s', async (name, edit) => {
    const file = `edit-${Object.keys(programs.edits).indexOf(name)}`
    const before = programs.edited
    const first = await stage.rig.run(stage.write(file, before))
    expect(first).toMatchObject({ ...succeeded(22), executed: 4 })
    const [from, to] = edit[stage.language]
    const text = before[stage.language].replace(from, to)
    expect(text).not.toBe(before[stage.language])
    const path = stage.rig.write(`${file}.${stage.language}`, text)
    const again = await stage.rig.run(path, { resume: first.run })
    expect(again).toMatchObject({ ...succeeded(edit.output), executed: edit.again.length })
    expect(again.fresh.toSorted()).toEqual(edit.again.toSorted())
    // and so has a run from its start
    expect(await stage.rig.run(path)).toMatchObject(succeeded(edit.output))
  })
}
