import { join } from 'node:path'
import type { Goals } from './goals.ts'
import { costOf, median } from './process-cost.ts'

interface CancelCost {
  readonly lastStartMs: number
  readonly exitMs: number
  readonly cpuMs: number
}

/** What `cancel.ts` measures, as a table. */
export function cancelTable(root: string, times: number, goals: Goals): string[] {
  const rows = [
    ['command', '`almanac cancel`'],
    ['signal', 'Ctrl-C'],
  ].map(([by, title]) => {
    const script = join(import.meta.dirname, 'cancel.ts')
    const runs = Array.from({ length: times }, () => {
      const { stdout } = costOf([process.execPath, script, '--by', by as string], root)
      return JSON.parse(stdout) as CancelCost
    })
    const of = (name: keyof CancelCost): string => median(runs.map((run) => run[name])).toFixed(0)
    goals.check(
      'end of a run of 128 000 tasks that is cancelled, ms',
      { most: 1000 },
      Number(of('exitMs')),
      title,
    )
    return `| ${title} | ${of('lastStartMs')} | ${of('exitMs')} | ${of('cpuMs')} |`
  })
  return [
    '',
    '## Cancelling a run of 128 000 tasks, 16 under way',
    '',
    'From the command, or the signal, to the last start of a task, and to the end of the process that drove the run, which is',
    'when all of it is recorded; and the CPU that this process took for it:',
    '',
    '| | last start, ms | end, ms | ms of CPU |',
    '| --- | --- | --- | --- |',
    ...rows,
  ]
}
