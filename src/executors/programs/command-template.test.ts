import { describe, expect, it } from 'vitest'
import { DirRef, FileRef, FutureRef, HeldRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { fillCommand } from './command-template.ts'

const digest = 'a'.repeat(64)
const file = (at?: string): FileRef => new FileRef('f', digest, 1, false, at)
const inputs: Readonly<Record<string, Value>> = {
  scene: file('/in/a scene.nc'),
  'b-1.x': new DirRef(digest, 2, 3, '/in/dir'),
  tiles: [file('/in/1'), file('/in/2')],
  none: [],
  staged: file(),
  n: 3,
  text: '{out.cog} $HOME "quoted"\n',
  list: [1, null, 'a'],
  when: new Date(0),
  nan: Number.NaN,
  big: 2n ** 80n,
  deep: { file: file('/in/deep'), rest: true },
  nothing: null,
  later: new FutureRef(3),
  held: new HeldRef('k', [], 'float64[3]', 24, 'w', 1),
}
const names = { task: 'cog', inputs, outputs: { cog: '/out/cog.tif' } }
const fill = (...words: string[]): string[] => fillCommand(words, names)

describe('the words of a command', () => {
  it('hold paths of inputs and outputs, whole or within a word', () => {
    expect(fill('gdal', '{in.scene}', '--out={out.cog}', '{in.b-1.x}/sub')).toEqual([
      'gdal',
      '/in/a scene.nc',
      '--out=/out/cog.tif',
      '/in/dir/sub',
    ])
  })

  it('hold values: texts as they are, the rest as JSON', () => {
    expect(fill('{params.n}', '{params.text}', '{params.list}', '{params.nothing}', '{params.deep}')).toEqual(
      ['3', '{out.cog} $HOME "quoted"\n', '[1,null,"a"]', 'null', '{"file":"/in/deep","rest":true}'],
    )
    expect(fill('{params.when}', '{params.nan}', '{params.big}')).toEqual([
      '1970-01-01T00:00:00.000Z',
      'NaN',
      '1208925819614629174706176',
    ])
  })

  it('hold a list of files as a word for each', () => {
    expect(fill('merge', '{in.tiles}', '{in.none}', 'end')).toEqual(['merge', '/in/1', '/in/2', 'end'])
  })

  it('hold braces that are doubled', () => {
    expect(fill('awk', '{{print $1}}', '{{{params.n}}}', '{{}}')).toEqual(['awk', '{print $1}', '{3}', '{}'])
  })

  it.each([
    [
      '{in.secne}',
      /^Option run of cog is not valid: \{in\.secne\} is not known: there are in\.scene, in\.b-1\.x, /,
    ],
    ['{params.secne}', /\{params\.secne\} is not known/],
    ['{out.other}', /\{out\.other\} is not known/],
    ['{scene}', /\{scene\} is not known/],
    ['{}', /\{\} is not known/],
    ['{in.toString}', /\{in\.toString\} is not known/],
    ['{in.n}', /\{in\.n\} is no file or directory: a value is \{params\.n\}/],
    ['--all={in.tiles}', /\{in\.tiles\} is no file or directory/],
    ['{print', /is a lone \{: write \{\{/],
    ['a}', /is a lone \}: write \}\}/],
    ['{in.staged}', /The value at staged cannot be kept: it has no path/],
    ['{params.held}', /it only lives in the memory of a worker/],
    ['{params.later}', /it is not known yet/],
  ])('that cannot be filled are refused: %s', (word, message) => {
    expect(() => fill(word)).toThrow(message)
  })

  it('of a task without inputs and outputs can name nothing', () => {
    expect(() => fillCommand(['{in.a}'], { task: 't', inputs: {}, outputs: {} })).toThrow(
      'it has no inputs or outputs',
    )
  })
})
