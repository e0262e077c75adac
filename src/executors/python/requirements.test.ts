import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isAlmanacError } from '../../model/errors.ts'
import { readRequirements } from './requirements.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'requirements-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}

const lines = (text: string) => readRequirements(write('requirements.txt', text)).install

function refusal(text: string): string {
  try {
    readRequirements(write('requirements.txt', text))
  } catch (error) {
    if (isAlmanacError(error)) return `${error.code} ${String(error.details['why']).replaceAll(folder, '.')}`
    throw error
  }
  return 'none'
}

describe('a requirements file', () => {
  it('counts by its lines, without comments, empty lines and layout', () => {
    expect(
      lines('\uFEFF# all\r\nnumpy==2.4.6   # arrays\n\n  xarray >= 2024 ;  python_version > "3.9"\n\t\nzarr'),
    ).toEqual(['numpy==2.4.6', 'xarray >= 2024 ; python_version > "3.9"', 'zarr'])
    expect(
      lines('a==1 \\\n  --hash=sha256:abc \\\n  --hash=sha256:def\nb @ https://host/b.zip#egg=b'),
    ).toEqual(['a==1 --hash=sha256:abc --hash=sha256:def', 'b @ https://host/b.zip#egg=b'])
    expect(lines('--index-url https://host/simple\n--pre\n-i https://other')).toEqual([
      '--index-url https://host/simple',
      '--pre',
      '-i https://other',
    ])
  })

  it('takes in what it names, from where that lies', () => {
    write('more/base.txt', 'numpy\n-r ../last.txt\n')
    write('last.txt', 'zarr\n')
    write('limits.txt', 'numpy<3\n')
    const file = write('requirements.txt', 'a\n-r more/base.txt\n--constraint=limits.txt\nb\n')
    expect(readRequirements(file)).toMatchObject({
      install: ['a', 'numpy', 'zarr', 'b'],
      constraints: ['numpy<3'],
      counted: ['a', 'numpy', 'zarr', 'constraint numpy<3', 'b'],
    })
    expect(lines('-rlast.txt\n--requirement last.txt')).toEqual(['zarr', 'zarr'])
  })

  it('counts archives on this machine by content, wherever they lie', () => {
    write('wheels/x-1.0-py3-none-any.whl', 'one')
    write('other/x-1.0-py3-none-any.whl', 'one')
    const counted = (text: string) => readRequirements(write('requirements.txt', text)).counted
    const [first] = counted('wheels/x-1.0-py3-none-any.whl')
    expect(first).toMatch(/^ x-1.0-py3-none-any.whl sha256:[0-9a-f]{64}$/)
    expect(counted('./other/x-1.0-py3-none-any.whl')).toEqual([first])
    expect(lines('./wheels/x-1.0-py3-none-any.whl')).toEqual([join(folder, 'wheels/x-1.0-py3-none-any.whl')])
    expect(lines(`x @ file://${folder}/wheels/x-1.0-py3-none-any.whl`)).toEqual([
      `x @ file://${folder}/wheels/x-1.0-py3-none-any.whl`,
    ])
    write('wheels/x-1.0-py3-none-any.whl', 'two')
    expect(counted('wheels/x-1.0-py3-none-any.whl')).not.toEqual([first])
    expect(lines('--find-links wheels\n-f https://host/links')).toEqual([
      `--find-links ${join(folder, 'wheels')}`,
      '-f https://host/links',
    ])
  })

  it('is refused with file and line where its content is not settled', () => {
    mkdirSync(join(folder, 'package'))
    expect(refusal('a\n\n-e .')).toBe(
      'ALM_PYTHON_ENV ./requirements.txt:3: an editable requirement changes after it was installed; build a wheel of it',
    )
    expect(refusal('./package')).toContain('requirements.txt:1: ./package is a directory')
    expect(refusal('./none.whl')).toContain('requirements.txt:1: ./none.whl cannot be read: ENOENT')
    expect(refusal('a\nx @ file:///wheels/100%.whl')).toBe(
      'ALM_PYTHON_ENV ./requirements.txt:2: /wheels/100%.whl is no URL: write %25 for a % that stands for itself',
    )
    expect(refusal('-r none.txt')).toBe('ALM_PYTHON_ENV ./none.txt does not exist')
    expect(refusal('-r https://host/requirements.txt')).toContain('is not on this machine')
    expect(refusal('-r requirements.txt')).toBe('ALM_PYTHON_ENV ./requirements.txt includes itself')
  })
})
