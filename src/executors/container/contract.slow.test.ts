import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { ContainerVolume, TaskSpec } from '../../model/task.ts'
import { executorContract } from '../../testing/contracts/executor-contract.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { openTestContainers, testSettings } from './rig.ts'
import { containerBody } from './test-body.ts'

const module = fileURLToPath(new URL('./rig.ts', import.meta.url))
const puppet = fileURLToPath(new URL('../../testing/executors/puppet-program.ts', import.meta.url))
const sources = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** Node of this machine with its libraries, in an image that has none; and the tests' sockets. */
const volumes = (): ContainerVolume[] => [
  ...['/lib', '/lib64', '/usr/lib'].flatMap((path) => existing(path)),
  { path: '/node', source: process.execPath, write: false },
  { path: sources, source: sources, write: false },
  { path: tmpdir(), source: tmpdir(), write: true },
  // numbers of processes as this machine has them
  { path: '/host/proc', source: '/proc', write: false },
]

function existing(path: string): ContainerVolume[] {
  try {
    return [{ path, source: realpathSync(path), write: false }]
  } catch {
    return []
  }
}

const container = (run: readonly string[], more: readonly ContainerVolume[] = []): TaskSpec =>
  taskSpec('puppet', containerBody(run, { volumes: more, env: { PUPPET_PROC: '/host/proc' } }))

const { why } = testSettings
if (why === undefined)
  executorContract({
    name: 'container',
    open: openTestContainers,
    hosted: { module, open: 'openTestContainers', options: {} },
    puppet: (control, token) => ({
      task: container(['/node', puppet, '{params.control}', '{params.token}'], volumes()),
      inputs: { control, token },
    }),
    instant: (value) => ({
      task: container(['/bin/sh', '-c', 'echo $0 > "$ALMANAC_RESULT"', '{params.value}']),
      inputs: { value },
    }),
    batch: 20,
    traits: { processes: 'own', killed: 'failed', grace: true },
  })
else
  describe('container: the contract of executors', () => {
    it(`is not tested here: ${why}`, () => {
      expect(process.env['ALMANAC_TEST_CONTAINERS'], why).not.toBe('1')
    })
  })
