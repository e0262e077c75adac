import { describe, expect, it } from 'vitest'
import { CalledRuns } from './called-runs.ts'

/** All that can follow without a pause has happened. */
const rest = (): Promise<unknown> => new Promise(setImmediate)

/** Processes that have runs, and pauses that end when the test says so. */
class World {
  readonly taken = new Set<string>()
  readonly over = new Set<string>()
  readonly resumed: string[] = []
  readonly errors: unknown[] = []
  readonly #ends = new Map<string, (error?: Error) => void>()
  #wake: () => void = () => undefined

  readonly runs = new CalledRuns({
    taken: async (runs) => runs.filter((run) => this.taken.has(run)),
    mayGoOn: async (run) => !this.over.has(run),
    resume: (run, signal) =>
      new Promise((resolve, reject) => {
        this.resumed.push(run)
        const end = (error?: Error): void => (error === undefined ? resolve() : reject(error))
        this.#ends.set(run, end)
        signal.addEventListener('abort', () => end())
      }),
    pause: (signal) =>
      new Promise((resolve) => {
        this.#wake = resolve
        signal.addEventListener('abort', () => resolve())
      }),
    failed: (error) => this.errors.push(error),
  })

  /** All that follows from the calls has happened. */
  async called(...runs: string[]): Promise<void> {
    for (const run of runs) this.runs.called(run)
    await rest()
  }

  /** The pause is over, and all that follows has happened. */
  async look(): Promise<void> {
    this.#wake()
    await rest()
  }

  end(run: string, error?: Error): void {
    this.#ends.get(run)?.(error)
  }
}

describe('runs that were called back', () => {
  it('go on when the process that has them lets them go, and not when they have ended by then', async () => {
    const world = new World()
    for (const run of ['a', 'b']) world.taken.add(run)
    await world.called('a', 'b')
    expect(world.resumed).toEqual([])
    world.taken.clear()
    world.over.add('b')
    await world.look()
    expect(world.resumed).toEqual(['a'])
    await world.runs.close()
  })

  it('go on once more when they were called again meanwhile', async () => {
    const world = new World()
    await world.called('a')
    await world.called('a')
    expect(world.resumed).toEqual(['a'])
    world.end('a')
    await world.look()
    expect(world.resumed).toEqual(['a', 'a'])
    await world.runs.close()
  })

  it('go on whenever they are called, also while others are just being begun', async () => {
    for (let moment = 0; moment < 20; moment++) {
      const world = new World()
      world.runs.called('a')
      for (let i = 0; i < moment; i++) await Promise.resolve()
      await world.called('b')
      await world.look()
      expect([moment, world.resumed]).toEqual([moment, ['a', 'b']])
      await world.runs.close()
    }
  })

  it('are four at once; one that cannot go on is told of, and takes no place', async () => {
    const world = new World()
    const runs = ['a', 'b', 'c', 'd', 'e']
    await world.called(...runs)
    await world.look()
    expect(world.resumed).toEqual(['a', 'b', 'c', 'd'])
    const broken = new Error('no file')
    world.end('b', broken)
    await world.look()
    expect([world.resumed, world.errors]).toEqual([runs, [broken]])
    await world.runs.close()
  })

  it('are stopped when nothing listens any more, and go on no more', async () => {
    const world = new World()
    await world.called('a')
    await world.runs.close()
    await world.called('b')
    expect(world.resumed).toEqual(['a'])
  })
})
