import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { root } from '../source-files.ts'
import { pythonCrossings } from './python.ts'
import { pythonFolders } from './table.ts'

let tree: string

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'almanac-layers-'))
})

afterEach(() => rmSync(tree, { recursive: true }))

function found(files: Readonly<Record<string, string>>): readonly object[] {
  for (const [path, text] of Object.entries({ 'almanac/__init__.py': '', ...files })) {
    mkdirSync(join(tree, 'python', dirname(path)), { recursive: true })
    writeFileSync(join(tree, 'python', path), text)
  }
  return pythonCrossings(tree)
}

test('the Python packages import what the table says', () => {
  expect(pythonCrossings(root)).toEqual([])
})

test('imports that the table allows are let through, and those of others', () => {
  const crossings = found({
    'almanac/errors.py':
      'from typing import TYPE_CHECKING\nimport os.path\nif TYPE_CHECKING:\n    from ._runs.ended_run import Run\n',
    'almanac/_model/__init__.py': '',
    'almanac/_model/futures.py': 'from ..errors import refused\nfrom numpy import array\n',
    'almanac/_runs/execution.py':
      'from .._model import futures\ndef f():\n    from . import engine_process\n',
    'almanac/_runs/engine_process.py': 'from ..errors import AlmanacError\n',
    'almanac/_runs/ended_run.py': '',
    'tests/test_engine_process.py': 'from almanac._runs.engine_process import Engine\n',
  })
  expect(crossings).toEqual([])
})

test.each<readonly [string, Readonly<Record<string, string>>, object]>([
  [
    'an import upward',
    { 'almanac/_model/a.py': 'from .._types.b import c\n', 'almanac/_types/b.py': '' },
    {
      rule: 'almanac/_model may import almanac/errors.py, almanac_worker/shared',
      from: 'almanac/_model/a.py',
      to: 'almanac/_types/b.py',
      cycle: [],
    },
  ],
  [
    'an import upward within a function',
    { 'almanac/errors.py': 'def f():\n    from ._types.b import c\n', 'almanac/_types/b.py': '' },
    {
      rule: 'almanac/errors.py may import nothing of ours',
      from: 'almanac/errors.py',
      to: 'almanac/_types/b.py',
      cycle: [],
    },
  ],
  [
    'an import upward of a type',
    {
      'almanac/_model/a.py': 'import typing\nif typing.TYPE_CHECKING:\n    import almanac._types.b\n',
      'almanac/_types/b.py': '',
    },
    {
      rule: 'almanac/_model may import almanac/errors.py, almanac_worker/shared',
      from: 'almanac/_model/a.py',
      to: 'almanac/_types/b.py',
      cycle: [],
    },
  ],
  [
    'a worker that knows the package',
    { 'almanac_worker/output/a.py': 'import almanac\n' },
    {
      rule: 'almanac_worker/output may import almanac_worker/shared',
      from: 'almanac_worker/output/a.py',
      to: 'almanac/__init__.py',
      cycle: [],
    },
  ],
  [
    'a file that is not there',
    { 'almanac/_model/a.py': 'def f():\n    from .gone import b\n' },
    {
      rule: 'what is imported is there',
      from: 'almanac/_model/a.py',
      to: 'almanac._model.gone',
      cycle: [],
    },
  ],
  [
    'a cycle that a function hides',
    {
      'almanac/_flow/a.py': 'from .b import c\n',
      'almanac/_flow/b.py': 'from . import c\n',
      'almanac/_flow/c.py': 'def f():\n    from .a import d\n',
      'almanac/_flow/__init__.py': '',
    },
    {
      rule: 'no cycle',
      from: 'almanac/_flow/c.py',
      to: 'almanac/_flow/a.py',
      cycle: ['almanac/_flow/b.py', 'almanac/_flow/c.py', 'almanac/_flow/a.py'],
    },
  ],
])('%s is found', (_, files, crossing) => {
  expect(found(files)).toEqual([crossing])
})

test('a folder without a row in the table is refused', () => {
  expect(() => found({ 'almanac/_helpers/a.py': '' })).toThrow(
    'no row of the table holds almanac/_helpers/a.py',
  )
})

test('ARCHITECTURE.md says of each folder of Python what the table holds it to', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `python\/(\S+)` +\|.*\| ([^|]+?) +\|$/gm)].map(
    ([, name, allowed = '']) => [name, allowed === 'nothing of ours' ? [] : allowed.split(', ').sort()],
  )
  // folders beside it go by their own names
  const shorter = (row: string, name: string): string => {
    const home = `${row.split('/')[0]}/`
    return name.startsWith(home) ? name.slice(home.length) : name
  }
  expect(rows).toEqual(
    pythonFolders
      .filter(({ name }) => !name.startsWith('build_'))
      .map(({ name, mayImport }) => [name, mayImport.map((one) => shorter(name, one)).sort()]),
  )
})
