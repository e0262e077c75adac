import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformSync } from 'esbuild'
import { expect, test } from 'vitest'
import { AlmanacError } from '../src/model/errors.ts'
import { root } from './source-files.ts'

const bin = join(root, 'bin/almanac.cjs')

test('on an old Node the command says so in one line, as the catalogue has it', () => {
  const script = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' }); require(${JSON.stringify(bin)})`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  const { code, message, hint } = new AlmanacError('ALM_NODE_OLD', { version: '20.20.2' })
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: '',
    stderr: `${code} ${message} ${hint}\n`,
  })
})

test('the command starts on a Node so old that it knows no newer syntax', () => {
  const text = readFileSync(bin, 'utf8')
  const as = (target: string): string => transformSync(text, { target, format: 'cjs' }).code
  expect(as('es5')).toBe(as('esnext'))
})
