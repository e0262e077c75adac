import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { callReasons, isEnd, isRunEnd, runStates } from './states.ts'

const page = readFileSync(new URL('../../docs/states.md', import.meta.url), 'utf8')

/** The rows of the table of states: state and reasons. */
const documented = Object.fromEntries(
  [...page.matchAll(/^\| `(\w+)` +\| ((?:`\w+` ?)+) *\|/gm)].map(([, state, reasons]) => [
    state,
    [...(reasons as string).matchAll(/`(\w+)`/g)].map(([, reason]) => reason),
  ]),
)

describe('docs/states.md', () => {
  it('names every state and reason of a call, and no other', () => {
    expect(documented).toEqual(callReasons)
  })

  it('names every state of a run', () => {
    const sentence = /A run is ([\s\S]*?)\.\n/.exec(page)?.[1] ?? ''
    expect([...sentence.matchAll(/`(\w+)`/g)].map(([, state]) => state)).toEqual([...runStates])
  })
})

describe('a state', () => {
  it('has an outcome or not', () => {
    expect(Object.keys(callReasons).filter((state) => isEnd(state as keyof typeof callReasons))).toEqual([
      'succeeded',
      'failed',
      'skipped',
      'cancelled',
      'undone',
    ])
    expect(runStates.filter(isRunEnd)).toEqual(['succeeded', 'failed', 'cancelled', 'undone'])
  })
})
