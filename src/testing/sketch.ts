import fc from 'fast-check'

/**
 * Generated programs, as data: functions and constants in modules, which call those before them, and tasks that
 * call one of them. A language's test renders them.
 */
export interface Sketch {
  readonly functions: readonly SketchedFunction[]
  readonly tasks: readonly SketchedTask[]
  /** comments, layout and blank lines */
  readonly style: 'plain' | 'other'
}

export interface SketchedFunction {
  readonly module: string
  /** indices of functions before it */
  readonly calls: readonly number[]
  readonly body: number
  readonly kind: 'function' | 'constant'
}

export interface SketchedTask {
  readonly root: number
  readonly retries: number
}

const functions: fc.Arbitrary<readonly SketchedFunction[]> = fc
  .array(
    fc.record({
      module: fc.nat(2),
      calls: fc.array(fc.nat(), { maxLength: 3 }),
      body: fc.nat(9),
      kind: fc.constantFrom('function' as const, 'function' as const, 'constant' as const),
    }),
    { minLength: 1, maxLength: 10 },
  )
  .map((drafts) =>
    drafts.map(({ module, calls, body, kind }, i) => ({
      module: `m${module}`,
      // no circles: a call goes to what stands before, and a constant calls nothing
      calls:
        i === 0 || kind === 'constant'
          ? []
          : [...new Set(calls.map((call) => call % i))].sort((a, b) => a - b),
      body,
      kind,
    })),
  )

const sketches: fc.Arbitrary<Sketch> = fc
  .tuple(
    functions,
    fc.array(fc.record({ root: fc.nat(), retries: fc.nat(3) }), { minLength: 1, maxLength: 4 }),
  )
  .map(([made, tasks]) => ({
    functions: made,
    tasks: tasks.map(({ root, retries }) => ({ root: root % made.length, retries })),
    style: 'plain',
  }))

type Edit = (sketch: Sketch, at: number) => Sketch

const changeFunction =
  (change: (one: SketchedFunction) => SketchedFunction): Edit =>
  (sketch, at) => ({
    ...sketch,
    functions: sketch.functions.map((one, i) => (i === at % sketch.functions.length ? change(one) : one)),
  })

const edits: readonly Edit[] = [
  changeFunction((one) => ({ ...one, body: one.body + 10 })),
  changeFunction((one) => ({ ...one, calls: one.calls.slice(1) })),
  (sketch) => ({ ...sketch, style: 'other' }),
  (sketch) => ({ ...sketch, tasks: sketch.tasks.map((one) => ({ ...one, retries: one.retries + 1 })) }),
  (sketch, at) => ({
    ...sketch,
    functions: [
      ...sketch.functions,
      { module: `m${at % 3}`, calls: [at % sketch.functions.length], body: at % 10, kind: 'function' },
    ],
  }),
  (sketch, at) => ({
    ...sketch,
    tasks: [...sketch.tasks, { root: at % sketch.functions.length, retries: 0 }],
  }),
]

/** A program and the same after some edits; tasks keep their places, further ones may follow. */
export const arbitraryEdits: fc.Arbitrary<{ readonly before: Sketch; readonly after: Sketch }> = fc
  .tuple(sketches, fc.array(fc.tuple(fc.nat(edits.length - 1), fc.nat()), { minLength: 1, maxLength: 4 }))
  .map(([before, chosen]) => ({
    before,
    after: chosen.reduce((sketch, [edit, at]) => (edits[edit] as Edit)(sketch, at), before),
  }))

/** All that a task reaches, as a text: equal for equal code. */
export function reached({ functions: made, tasks }: Sketch, task: number): string {
  const seen = new Set<number>()
  const visit = (i: number): void => {
    if (seen.has(i)) return
    seen.add(i)
    for (const call of made[i]?.calls ?? []) visit(call)
  }
  visit(tasks[task]?.root ?? 0)
  return JSON.stringify([tasks[task]?.root, [...seen].sort((a, b) => a - b).map((i) => [i, made[i]])])
}
