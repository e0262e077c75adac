import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isOver, standStill } from '../../testing/executors/standstill.ts'
import type { ProgramExit } from './supervisor.ts'
import { SupervisedProgram } from './supervisor.ts'

it('asks a program to stop that is only being begun', async () => {
  const begin = (): Promise<ProgramExit> =>
    new Promise((exited, refused) => {
      const start = { program: '/bin/sleep', args: ['1000'], cwd: '/', env: {} }
      const program = new SupervisedProgram(start, { output: () => undefined, exited, refused })
      const shell = program.group ?? 0
      // wherever it is: before it heeds signals, or after, and what it begins does not yet
      process.kill(shell, 'SIGSTOP')
      program.signal('SIGTERM')
      process.kill(shell, 'SIGCONT')
    })
  const exits: ProgramExit[] = []
  for (let i = 0; i < 20; i++) exits.push(await begin())
  const asked = { code: 143, signal: 'SIGTERM', left: [], cpuMs: expect.any(Number) }
  expect(exits).toEqual(exits.map(() => asked))
})

it.skipIf(process.platform !== 'linux')(
  'has all that a program has said, though its host stands still while it ends',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'supervisor-'))
    const said: string[] = []
    const run = (script: string, output: (text: string) => void) => {
      const exit = Promise.withResolvers<ProgramExit>()
      const start = { program: '/bin/sh', args: ['-c', script], cwd: folder, env: {} }
      const told = { output: (_: string, chunk: Buffer) => output(chunk.toString()) }
      const program = new SupervisedProgram(start, {
        ...told,
        exited: exit.resolve,
        refused: exit.reject,
      })
      return { group: program.group ?? 0, exit: exit.promise }
    }
    const late = run('while [ ! -e go ]; do :; done; echo words', (text) => said.push(text))
    // what the other says is heard in the turn in which its end is found: then this one has ended too, unheard
    const first = run('echo up', () => {
      writeFileSync(join(folder, 'go'), '')
      while (!isOver(late.group));
      setImmediate(() => standStill(1000))
    })
    while (!isOver(first.group));
    await Promise.all([first.exit, late.exit])
    expect(said).toEqual(['words\n'])
    rmSync(folder, { recursive: true })
  },
)
