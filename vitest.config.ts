import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './scripts/steps/longest-first.ts'

/**
 * Folders whose unit tests share a process, as starting one for each file takes more time than they do: nothing of them
 * changes what belongs to the process (its environment, directory, flags, descriptors), or looks at whose code called.
 */
const shared =
  '{benchmarks,scripts,src/{cli,core,data,engine,journal,model,testing,util,wiring}}/**/*.test.ts'
const slow = '**/*.slow.test.ts'

export default defineConfig({
  test: {
    // one process a file, but for those above: tests open databases, start workers and read process-wide state
    pool: 'forks',
    reporters: process.env['CI'] ? ['dot'] : ['default'],
    sequence: { sequencer: LongestFirst },
    // a machine that stands still for some seconds fails no test: only what never comes does
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    // threads and programs that tests start from sources would each compile them anew, which takes most of their time
    env: {
      NODE_COMPILE_CACHE: fileURLToPath(new URL('./node_modules/.cache/almanac/compiled', import.meta.url)),
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts'],
          exclude: [slow, shared],
          // far more than any needs, so that a busy machine fails none
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'unit-shared',
          include: [shared],
          exclude: [slow],
          isolate: false,
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          // and tests beside their sources that take seconds: environments that are made, tools that are run whole
          include: ['test/**/*.test.ts', 'examples/**/*.test.ts', '{src,scripts}/**/*.slow.test.ts'],
          exclude: ['**/node_modules/**', 'test/fixtures/**'],
          // they start many processes, and install packages: a limit for what hangs, and not for what is slow
          testTimeout: 300_000,
        },
      },
    ],
  },
})
