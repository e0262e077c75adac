import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findProgram } from './find-program.ts'

let folder = ''
const at = (...names: string[]): string => join(folder, ...names)
const program = (path: string, text: string, mode = 0o755): void => {
  writeFileSync(path, text)
  chmodSync(path, mode)
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'programs-'))
  for (const name of ['a', 'b']) mkdirSync(at(name))
  program(at('a', 'tool'), '#!/bin/sh\n')
  program(at('b', 'tool'), '#!/bin/sh\n')
  program(at('b', 'other tool'), '#!/bin/sh\n')
  program(at('a', 'plain'), 'text', 0o644)
  program(at('b', 'plain'), '#!/bin/sh\n')
  program(at('a', 'orphan'), '#! /opt/nothing/python -u\n')
  mkdirSync(at('a', 'folder'))
  symlinkSync(at('a', 'gone'), at('a', 'dangling'))
})

afterAll(() => rmSync(folder, { recursive: true }))

describe('a program', () => {
  it('is the first of its name on PATH that can be run', () => {
    const path = `${at('a')}:${at('b')}`
    expect(findProgram('tool', '/', path)).toEqual({ path: at('a', 'tool') })
    expect(findProgram('other tool', '/', path)).toEqual({ path: at('b', 'other tool') })
    expect(findProgram('plain', '/', path)).toEqual({ path: at('b', 'plain') })
    expect(findProgram('tool', folder, 'b')).toEqual({ path: at('b', 'tool') })
  })

  it('with a slash in its name is looked for from the working directory', () => {
    expect(findProgram('./b/tool', folder, '/nowhere')).toEqual({ path: at('b', 'tool') })
    expect(findProgram('b/tool', folder, '')).toEqual({ path: at('b', 'tool') })
    expect(findProgram(at('b', 'tool'), '/', '')).toEqual({ path: at('b', 'tool') })
  })

  it('that is missing is missing for a reason', () => {
    expect(findProgram('nothing', '/', at('a'))).toEqual({ missing: 'it is not on PATH' })
    expect(findProgram('./nothing', folder, at('a'))).toEqual({ missing: 'there is no such file' })
    expect(findProgram('dangling', '/', at('a'))).toEqual({ missing: 'it is not on PATH' })
    expect(findProgram('', '/', at('a'))).toEqual({ missing: 'its name is empty' })
    expect(findProgram('plain', '/', at('a'))).toEqual({ missing: `${at('a', 'plain')} is not executable` })
    expect(findProgram('folder', '/', at('a'))).toEqual({ missing: `${at('a', 'folder')} is no file` })
    expect(findProgram('orphan', '/', at('a'))).toEqual({
      missing: `${at('a', 'orphan')} asks for /opt/nothing/python, which is not there`,
    })
  })
})
