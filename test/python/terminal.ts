import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { findPython } from '../../src/executors/python/interpreter.ts'

const program = fileURLToPath(new URL('./terminal.py', import.meta.url))

/** Runs a command on a terminal of its own and talks to it; what that showed. */
export async function onTerminal(
  command: readonly string[],
  conversation: readonly (readonly [expected: string, answer: string])[],
  cwd = process.cwd(),
): Promise<string> {
  const { python } = await findPython(undefined)
  const { stdout, stderr, status } = spawnSync(python, [program, ...command], {
    input: JSON.stringify(conversation),
    encoding: 'utf8',
    cwd,
    env: { ...process.env, NO_COLOR: '1' },
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout.replaceAll('\r\n', '\n')
}
