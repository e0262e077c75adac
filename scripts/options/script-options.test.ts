import { expect, it } from 'vitest'
import { amount, flag, oneOf, someOf, text, whole } from './option.ts'
import { askedOptions } from './script-options.ts'

const bench = {
  command: 'npm run bench --',
  does: 'Measures.',
  options: {
    times: whole('so often', 3),
    jobs: whole('at once'),
    size: amount('in MB', 0.1),
    only: oneOf(['start', 'tasks'], 'one part'),
    engines: someOf(['ours', 'dask'], ['ours'], 'of'),
    page: text('FILE', 'written'),
    full: flag('all sizes'),
  },
  words: { shown: 'step', of: ['build', 'unit'] },
}

it('what is not said has its standard, or is undefined', () => {
  expect(askedOptions(bench, [])).toEqual({
    values: {
      times: 3,
      jobs: undefined,
      size: 0.1,
      only: undefined,
      engines: ['ours'],
      page: undefined,
      full: false,
      words: [],
    },
  })
})

it('what is said is read', () => {
  const args = '--times 5 --jobs 2 --size 0 --only tasks --engines dask,ours --page a.md --full unit build'
  expect(askedOptions(bench, args.split(' '))).toEqual({
    values: {
      times: 5,
      jobs: 2,
      size: 0,
      only: 'tasks',
      engines: ['dask', 'ours'],
      page: 'a.md',
      full: true,
      words: ['unit', 'build'],
    },
  })
})

it.each([
  [['--times', '0'], '--times is a whole number from 1, not 0'],
  [['--times', '1.5'], '--times is a whole number from 1, not 1.5'],
  [['--jobs='], '--jobs is a whole number from 1, not '],
  [['--size', 'x'], '--size is a number from 0, not x'],
  [['--only', 'nope'], '--only is one of start, tasks, not nope'],
  [['--engines', 'ours,spark'], '--engines is some of ours, dask, not spark'],
  [['--more'], "Unknown option '--more'"],
  [['--page'], "Option '--page <value>' argument missing"],
  [['--full=yes'], "Option '--full' does not take an argument"],
  [['types'], 'step is one of build, unit, not types'],
])('what is wrong is said in a line: %j', (args, said) => {
  expect(askedOptions(bench, args)).toEqual({ told: `${said}: see npm run bench -- --help`, exitCode: 2 })
})

it('a script without words takes none', () => {
  const { words: _, ...wordless } = bench
  expect(askedOptions(wordless, ['build'])).toEqual({
    told: "Unexpected argument 'build': see npm run bench -- --help",
    exitCode: 2,
  })
})

it('who asks for help is told of all options', () => {
  expect(askedOptions(bench, ['--times', '0', '--help'])).toEqual({
    told: `npm run bench -- [options] [step …]
Measures.
  --times 3           so often
  --jobs N            at once
  --size 0.1          in MB
  --only start|tasks  one part
  --engines ours      of ours, dask
  --page FILE         written
  --full              all sizes
  --help              this
  step: build, unit`,
    exitCode: 0,
  })
})
