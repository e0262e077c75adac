import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { transformSync } from 'esbuild'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AlmanacError } from '../src/model/errors.ts'
import { root } from './source-files.ts'

/** The command in a copy that has nothing beside it, as an old Node would start it: a script for this one. */
function oldNodeScript(folder: string): string {
  const bin = join(folder, 'bin')
  cpSync(join(root, 'bin'), bin, { recursive: true })
  return `Object.defineProperty(process.versions, 'node', { value: '20.20.2' })
    process.argv.splice(1, 0, 'almanac'); require(${JSON.stringify(join(bin, 'almanac.cjs'))})`
}

function onOldNode(folder: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', oldNodeScript(folder), ...args], {
    cwd: folder,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'almanac-bin-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('on an old Node the command says so in one line, as the catalogue has it', () => {
  const { code, message, hint } = new AlmanacError('ALM_NODE_OLD', { version: '20.20.2' })
  expect(onOldNode(folder)).toEqual({ status: 2, stdout: '', stderr: `${code} ${message} ${hint}\n` })
})

test('on an old Node a program that opens an Almanac is told so', () => {
  const program = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' })
    const { open } = await import(${JSON.stringify(join(root, 'src/index.ts'))})
    await open().catch(({ code, message }) => console.log(code, message))`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  expect(stdout).toBe('ALM_NODE_OLD Almanac needs Node 24 or newer; this is Node 20.20.2.\n')
})

test('on an old Node it is run by the Node of the package "node", where that is there and new enough', () => {
  const made = join(folder, 'node_modules/node')
  mkdirSync(join(made, 'bin'), { recursive: true })
  writeFileSync(join(made, 'bin/node'), '#!/bin/sh\nshift $(($# - 2)); echo "$@"; exit 7\n', { mode: 0o755 })
  writeFileSync(join(made, 'package.json'), '{"version":"22.1.0"}')
  expect(onOldNode(folder, 'run', 'x.ts').status).toBe(2)
  writeFileSync(join(made, 'package.json'), '{"version":"24.21.0"}')
  expect(onOldNode(folder, 'run', 'x.ts')).toEqual({ status: 7, stdout: 'run x.ts\n', stderr: '' })
})

test('who interrupts the command alone, and not from its terminal, interrupts what the newer Node runs', async () => {
  const made = join(folder, 'node_modules/node')
  mkdirSync(join(made, 'bin'), { recursive: true })
  writeFileSync(join(made, 'package.json'), '{"version":"24.21.0"}')
  const program = `#!${process.execPath}
    process.on('SIGTERM', () => { console.log('asked to stop'); process.exit(9) })
    setInterval(() => {}, 1e6)
    console.log('there')\n`
  writeFileSync(join(made, 'bin/node'), program, { mode: 0o755 })
  const args = ['-e', oldNodeScript(folder), 'run', 'x.ts']
  // in a session of its own, as a notebook starts it
  const child = spawn(process.execPath, args, {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line)
    if (line === 'there') child.kill('SIGINT')
  }
  await new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve(undefined)))
  expect([said, child.exitCode]).toEqual([['there', 'asked to stop'], 9])
})

test('the command starts on a Node so old that it knows no newer syntax', () => {
  for (const name of ['almanac.cjs', 'newer-node.cjs']) {
    const text = readFileSync(join(root, 'bin', name), 'utf8')
    const as = (target: string): string => transformSync(text, { target, format: 'cjs' }).code
    expect(as('es5')).toBe(as('esnext'))
  }
})
