import { cpSync } from 'node:fs'
import { join } from 'node:path'
import type { Goals } from './goals.ts'
import { alternately, type Cost, costOf, median } from './process-cost.ts'

const steps = 1000

/** Short chains from the start of the process, in both languages, as a table. `folder` is an empty project. */
export function chainTable(root: string, folder: string, times: number, goals: Goals): string[] {
  cpSync(join(import.meta.dirname, 'pyflow.py'), join(folder, 'pyflow.py'))
  const python = (count: number) => (): Cost =>
    costOf(
      [
        process.execPath,
        join(root, 'bin/almanac.cjs'),
        'run',
        'pyflow.py:steps',
        '--input',
        `count=${count}`,
        '--json',
      ],
      folder,
    )
  const inline = (): Cost =>
    costOf([process.execPath, join(import.meta.dirname, 'chain.ts'), folder, String(steps)], root)
  // files are compiled and counted from now on; no process is left
  python(1)()
  const costs = alternately(times, { inline, pyflow: python(steps) })
  const stepsOf = {
    inline: costs.inline.map(({ stdout }) => JSON.parse(stdout) as readonly number[]),
    pyflow: costs.pyflow.map(
      ({ stdout }) =>
        (JSON.parse(stdout.trimEnd().split('\n').at(-1) as string) as { readonly output: readonly number[] })
          .output,
    ),
  }
  const row = (title: string, goal: string, most: number, all: readonly (readonly number[])[]): string => {
    const means = all.map(mean)
    const medians = all.map(median)
    goals.check(goal, { most }, median(means), `${steps} from the start, mean`)
    goals.check(goal, { most }, median(medians), `${steps} from the start, median`)
    return `| ${title} | ${shown(means)} | ${shown(medians)} | ${shown(all.map((one) => one[0] as number))} |`
  }
  return [
    '',
    `## A chain of ${steps} steps, from the start of the process`,
    '',
    'What a step takes, each awaits the one before, in a process in which nothing ran before; in Python the first one starts the worker too.',
    '',
    '| | mean, µs | median, µs | the first, µs |',
    '| --- | --- | --- | --- |',
    row('tasks in this process', 'a step of a chain in this process, µs', 20, stepsOf.inline),
    row(
      'Python tasks, workflow in Python',
      'a step of a chain of Python tasks, workflow in Python, µs',
      150,
      stepsOf.pyflow,
    ),
  ]
}

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, one) => sum + one, 0) / numbers.length

const shown = (numbers: readonly number[]): string =>
  `${median(numbers).toFixed(0)} (${numbers.map((one) => one.toFixed(0)).join(', ')})`
