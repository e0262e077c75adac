import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './scripts/steps/longest-first.ts'

export default defineConfig({
  test: {
    // one process a file: tests open databases, start workers and read process-wide state
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
          include: ['{src,scripts,benchmarks}/**/*.test.ts'],
          exclude: ['**/*.slow.test.ts'],
          // far more than any needs, so that a busy machine fails none
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
