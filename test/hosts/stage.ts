import { afterAll, beforeAll, expect } from 'vitest'
import { type Language, type Life, type Program, WorkflowRig } from './rig.ts'

/** Where the tests of one language play. */
export interface Stage {
  readonly rig: WorkflowRig
  readonly language: Language
  readonly style: 'async' | 'plain'
  /** Writes a program, and gives its file. */
  write(name: string, program: Program): string
}

/** Opens it before the tests that are registered beside, and closes it after. */
export function openStage(language: Language, style: Stage['style']): Stage {
  let rig: WorkflowRig | undefined
  beforeAll(() => {
    rig = new WorkflowRig(style)
  })
  afterAll(() => rig?.close())
  const there = (): WorkflowRig => rig as WorkflowRig
  return {
    get rig() {
      return there()
    },
    language,
    style,
    write: (name, program) => there().write(`${name}.${language}`, program[language]),
  }
}

/** The calls that have ended, in order. */
export const called = (life: Life): string[] => life.calls.map(({ at }) => at)
export const succeeded = (output: unknown): object => ({ state: 'succeeded', output })

/** Runs a program to its end, and resumes it: nothing is executed and the same comes of it. */
export async function twice(stage: Stage, name: string, program: Program, input?: object): Promise<Life> {
  const file = stage.write(name, program)
  const first = await stage.rig.run(file, input === undefined ? {} : { input })
  const again = await stage.rig.run(file, { resume: first.run })
  expect(again).toEqual({
    ...first,
    executed: 0,
    fresh: [],
    reused: first.executed + first.reused,
  })
  return first
}
