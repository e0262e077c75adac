import { expect, it } from 'vitest'
import { seedOptions } from './options.ts'

const engines = ['almanac-python', 'dask', 'floor']

it('what is not said is as the page has it', () => {
  expect(seedOptions(['--n', '7', '--engines', 'floor', '--size-mb', '0'], engines)).toEqual({
    n: 7,
    sleepMean: 0.1,
    sleepSpread: 0.05,
    sizeMb: 0,
    parallel: 16,
    engines: ['floor'],
    repeat: 3,
    maxGb: 12,
    maxMinutes: 60,
  })
})

it.each([
  [['--n', '0'], '--n is a whole number from 1, not 0'],
  [['--repeat', '1.5'], '--repeat is a whole number from 1, not 1.5'],
  [['--size-mb', 'x'], '--size-mb is a number from 0, not x'],
  [['--grid', 'nope'], 'there is no grid nope: seed, small, goals'],
  [['--engines', 'floor,spark'], 'there is no engine spark: almanac-python, dask, floor'],
])('what is wrong is said in a line: %j', (args, said) => {
  expect(seedOptions(args, engines)).toBe(said)
})

it('all options are listed for who asks for help, or for one that there is not', () => {
  const help = seedOptions(['--help'], engines)
  expect(help).toContain('--sleep-spread 0.05   seconds more or less\n')
  expect(seedOptions(['--size', '3'], engines)).toContain(`Unknown option '--size'`)
  expect(String(seedOptions(['--size', '3'], engines)).endsWith(String(help))).toBe(true)
})
