import { expect, it } from 'vitest'
import { DirRef, FileRef } from '../../model/refs.ts'
import type { DataFixture } from './data-fixture.ts'
import { bytes, contents, failure, listed, managed, plain, plant, text } from './data-fixture.ts'

/** What tasks are given and leave, and what is shown of it. */
export function testOutputs(at: () => DataFixture): void {
  it('gives each attempt empty directories, and output paths that are free', async () => {
    const { data, place } = at()
    const workspace = await data.workspace('run-7.1')
    const output = workspace.output('refs')
    expect(place.isDirectory(workspace.scratch)).toBe(true)
    expect([place.read(output), place.isDirectory(output)]).toEqual([undefined, false])
    place.write(`${workspace.scratch}/x`, 'x')
    place.write(output, 'left')
    const again = await data.workspace('run-7.1')
    expect([place.read(`${again.scratch}/x`), place.read(again.output('refs'))]).toEqual([
      undefined,
      undefined,
    ])
    const other = await data.workspace('run-7.2')
    expect(other.scratch).not.toBe(again.scratch)
    await again.remove()
    expect(place.isDirectory(again.scratch)).toBe(false)
    expect(place.isDirectory(other.scratch)).toBe(true)
  })

  it('takes an output file into the store', async () => {
    const { data, place } = at()
    const workspace = await data.workspace('a')
    place.write(workspace.output('refs.json'), 'hello')
    const file = await data.collectFile(workspace.output('refs.json'))
    expect(file).toMatchObject({ name: 'refs.json', size: 5, executable: false, at: undefined })
    expect(place.read(workspace.output('refs.json'))).toBeUndefined()
    await workspace.remove()
    expect(text(await data.readFile(file))).toBe('hello')
    expect([data.hasNow(file), text(data.readNow(file))]).toEqual([true, 'hello'])
    expect(await data.available(file)).toBe(true)
  })

  it('takes an output directory into the store, the same as one scanned', async () => {
    const { data, place } = at()
    const files = { 'a/1': 'one', 'a/b/2': 'two', three: 'two', 'none/': '', 'x.part': 'counts here' }
    const workspace = await data.workspace('a')
    plant(place, workspace.output('all'), files)
    place.write(`${workspace.output('all')}/run.sh`, '#!', true)
    const dir = await data.collectDir(workspace.output('all'))
    expect(place.isDirectory(workspace.output('all'))).toBe(false)
    plant(place, `${place.outside}/in`, files)
    place.write(`${place.outside}/in/run.sh`, '#!', true)
    expect(plain(dir)).toEqual(plain(await data.scan(`${place.outside}/in`, { exclude: [] })))
    expect(await contents(data, dir)).toEqual({
      'a/1': 'one',
      'a/b/2': 'two',
      three: 'two',
      none: undefined,
      'x.part': 'counts here',
      'run.sh': '#!',
    })
  })

  it('says which declared output is missing, or is not what was declared', async () => {
    const { data, place } = at()
    const { output } = await data.workspace('a')
    await expect(data.collectFile(output('refs'))).rejects.toEqual(
      failure('ALM_OUTPUT_MISSING', { name: 'refs' }),
    )
    await expect(data.collectDir(output('refs'))).rejects.toEqual(
      failure('ALM_OUTPUT_MISSING', { name: 'refs' }),
    )
    place.write(output('file'), 'x')
    place.makeDirectory(output('dir'))
    await expect(data.collectDir(output('file'))).rejects.toEqual(
      failure('ALM_PATH_REFUSED', { path: output('file') }),
    )
    await expect(data.collectFile(output('dir'))).rejects.toEqual(
      failure('ALM_PATH_REFUSED', { path: output('dir') }),
    )
  })

  it('opens the same content at the same path, whoever made it and whenever', async () => {
    const { data, place, another } = at()
    const file = await data.writeFile('x.nc', bytes('hello'))
    const dir = await managed(data, { 'a/1': 'one', '2': 'two' })
    const paths = [await data.open(file), await data.open(dir)]
    expect([
      place.read(paths[0] as string),
      place.read(`${paths[1]}/a/1`),
      place.read(`${paths[1]}/2`),
    ]).toEqual(['hello', 'one', 'two'])
    expect(paths[0]?.split('/').at(-1)).toBe('x.nc')
    await data.sync()
    const other = await another()
    expect([await other.open(file), await other.open(dir)]).toEqual(paths)
    expect(await other.open(await other.writeFile('x.nc', bytes('hello')))).toBe(paths[0])
    expect(await other.open(new FileRef('y.nc', file.digest, 5))).not.toBe(paths[0])
    await other.verify([file, dir])
  })

  it('fails a task that wrote to an input, and lets nobody read what it wrote', async () => {
    const { data, place } = at()
    const file = await data.writeFile('x.nc', bytes('hello'))
    const kept = await data.writeFile('kept.nc', bytes('other'))
    const path = await data.open(file)
    await data.open(kept)
    await data.verify([file, kept])
    place.write(path, 'HELLO')
    await expect(data.verify([kept, file])).rejects.toEqual(failure('ALM_TASK_WROTE_INPUT', { path }))
    if (await data.available(file)) expect(place.read(await data.open(file))).toBe('hello')
    else await expect(data.open(file)).rejects.toEqual(failure('ALM_BLOB_MISSING', { digest: file.digest }))
    await data.verify([kept])
    expect(text(await data.readFile(kept))).toBe('other')
    // what makes it again makes it whole
    await data.writeFile('x.nc', bytes('hello'))
    expect(place.read(await data.open(file))).toBe('hello')
    await data.verify([file])
  })

  it('fails a task that wrote into, added to or removed from an input directory', async () => {
    const { data, place } = at()
    const files = { 'a/1': 'one', 'a/2': 'two' }
    const harms: ((path: string) => string)[] = [
      (path) => `${path}/a/1`,
      (path) => `${path}/a/3`,
      (path) => `${path}/new/4`,
      (path) => `${path}/a/2`,
    ]
    for (const [i, harm] of harms.entries()) {
      const dir = await managed(data, { ...files, [`own${i}`]: 'x' })
      const path = await data.open(dir)
      await data.verify([dir])
      if (i === 3) place.remove(harm(path))
      else place.write(harm(path), 'harm')
      await expect(data.verify([dir])).rejects.toEqual(failure('ALM_TASK_WROTE_INPUT'))
      // made again, as the call that made it would be
      await managed(data, { ...files, [`own${i}`]: 'x' })
      expect(await data.open(dir)).toBe(path)
      await data.verify([dir])
      expect([place.read(`${path}/a/1`), place.read(`${path}/a/2`), place.read(`${path}/a/3`)]).toEqual([
        'one',
        'two',
        undefined,
      ])
    }
  })

  it('opens nothing outside its own directories, whatever a reference says', async () => {
    const { data } = at()
    const { digest, size } = await data.writeFile('x', bytes('x'))
    for (const name of ['../x', 'a/b', '..', '', 'a\0b']) {
      const ref = new FileRef(name, digest, size)
      await expect(data.open(ref), name).rejects.toEqual(failure('ALM_PATH_REFUSED'))
      await expect(data.show('dev', 'x', ref), name).rejects.toEqual(failure('ALM_PATH_REFUSED'))
    }
    for (const ref of [new FileRef('x', '../../x', 1), new DirRef('../../x', 1, 1)]) {
      await expect(data.open(ref)).rejects.toEqual(failure('ALM_BLOB_MISSING'))
      expect(await data.available(ref)).toBe(false)
    }
  })

  it('tells what is there from what is not', async () => {
    const { data } = at()
    const dir = await managed(data, { 'a/1': 'one' })
    const nowhere = new FileRef('x', '0'.repeat(64), 1)
    expect([await data.available(dir), await data.available(nowhere)]).toEqual([true, false])
    expect(await data.available(await data.assemble([['a', nowhere]]))).toBe(false)
    await expect(data.readFile(nowhere)).rejects.toEqual(
      failure('ALM_BLOB_MISSING', { digest: nowhere.digest }),
    )
    await expect(data.open(nowhere)).rejects.toEqual(failure('ALM_BLOB_MISSING', { digest: nowhere.digest }))
  })

  it('shows results as plain files, and switches them at once', async () => {
    const { data, place } = at()
    const first = await managed(data, { 'index.json': '1', 'sub/a': 'a' })
    const path = await data.show('dev', 'forecast/index', first)
    expect(path.endsWith('/dev/forecast/index')).toBe(true)
    expect([place.read(`${path}/index.json`), place.read(`${path}/sub/a`)]).toEqual(['1', 'a'])
    expect(await data.show('dev', 'forecast/index', await managed(data, { 'index.json': '2' }))).toBe(path)
    expect([place.read(`${path}/index.json`), place.read(`${path}/sub/a`)]).toEqual(['2', undefined])
    const file = await data.show('prod', 'report.md', await data.writeFile('report.md', bytes('# R')))
    expect(place.read(file)).toBe('# R')
    expect(place.read(`${path}/index.json`)).toBe('2')
  })

  it('shows what lies with the user', async () => {
    const { data, place } = at()
    const root = plant(place, `${place.outside}/in`, { 'a/1': 'one' })
    const dir = await data.scan(root)
    const path = await data.show('dev', 'raw', dir)
    expect(place.read(`${path}/a/1`)).toBe('one')
    expect(place.read(await data.show('dev', 'one', await data.scan(`${root}/a/1`)))).toBe('one')
    expect(place.read(`${root}/a/1`)).toBe('one')
  })

  it('shows nothing outside its directory, nor in place of what is not its own', async () => {
    const { data, place } = at()
    const file = await data.writeFile('x', bytes('x'))
    for (const [environment, name] of [
      ['dev', '../x'],
      ['..', 'x'],
      ['dev', '/x'],
      ['dev', 'a//b'],
      ['dev', ''],
      ['', 'x'],
      ['dev', '.hidden'],
      ['dev', 'a/.'],
      ['dev', 'a\0b'],
    ] as const) {
      await expect(data.show(environment, name, file), `${environment} ${name}`).rejects.toEqual(
        failure('ALM_PATH_REFUSED'),
      )
    }
    const taken = await data.show('dev', 'taken', file)
    await expect(data.show('dev', 'taken/below', file)).rejects.toEqual(
      failure('ALM_TARGET_EXISTS', { path: taken }),
    )
    await data.show('dev', 'group/one', file)
    await expect(data.show('dev', 'group', file)).rejects.toEqual(failure('ALM_TARGET_EXISTS'))
    const mine = taken.replace(/taken$/, 'mine')
    place.write(mine, 'my own')
    await expect(data.show('dev', 'mine', file)).rejects.toEqual(failure('ALM_TARGET_EXISTS', { path: mine }))
    expect(place.read(mine)).toBe('my own')
  })

  it('writes copies to paths of the user’s, which are then his own', async () => {
    const { data, place } = at()
    const dir = await managed(data, { 'a/1': 'one', '2': 'two' })
    const file = (await data.fileAt(dir, 'a/1')) as FileRef
    await data.writeTo(dir, `${place.outside}/copy/of/dir`)
    await data.writeTo(file, `${place.outside}/copy/1.txt`)
    expect([
      place.read(`${place.outside}/copy/of/dir/a/1`),
      place.read(`${place.outside}/copy/1.txt`),
    ]).toEqual(['one', 'one'])
    place.write(`${place.outside}/copy/of/dir/a/1`, 'mine')
    expect(await contents(data, dir)).toEqual({ 'a/1': 'one', '2': 'two' })
    const path = `${place.outside}/copy/1.txt`
    await expect(data.writeTo(file, path)).rejects.toEqual(failure('ALM_TARGET_EXISTS', { path }))
    await expect(data.writeTo(dir, `${place.outside}/copy/of`)).rejects.toEqual(failure('ALM_TARGET_EXISTS'))
    await expect(data.writeTo(new FileRef('x', '0'.repeat(64), 1), `${place.outside}/lost`)).rejects.toEqual(
      failure('ALM_BLOB_MISSING'),
    )
    expect([place.read(`${place.outside}/lost`), place.isDirectory(`${place.outside}/lost`)]).toEqual([
      undefined,
      false,
    ])
    const scanned = await data.scan(plant(place, `${place.outside}/in`, { 'b/3': 'three' }))
    await data.writeTo(scanned, `${place.outside}/copy/in`)
    expect(place.read(`${place.outside}/copy/in/b/3`)).toBe('three')
  })

  it('makes, edits and compares directories without touching a file', async () => {
    const { data } = at()
    const one = await data.writeFile('1', bytes('one'))
    const two = await data.writeFile('2', bytes('two'))
    const below = await data.assemble([['x', one]])
    const base = await data.assemble([
      ['b/2', two],
      ['a/1', one],
      ['sub', below],
      ['none', await data.assemble([])],
    ])
    expect(await contents(data, base)).toEqual({
      'a/1': 'one',
      'b/2': 'two',
      'sub/x': 'one',
      none: undefined,
    })
    expect({ entries: base.entries, size: base.size }).toEqual({ entries: 3, size: 9 })
    const edited = await data.edit(
      base,
      new Map([
        ['a/1', two],
        ['b/2', undefined],
        ['c/new', one],
        ['none', undefined],
        ['sub', undefined],
      ]),
    )
    expect(edited).toEqual(
      await data.assemble([
        ['a/1', two],
        ['c/new', one],
      ]),
    )
    expect((await listed(data.diff(base, edited))).map(({ path }) => path)).toEqual([
      'a/1',
      'b/2',
      'c/new',
      'none',
      'sub/x',
    ])
    expect(await listed(data.diff(base, base))).toEqual([])
    await expect(data.assemble([['../x', one]])).rejects.toEqual(failure('ALM_PATH_REFUSED'))
    await expect(data.writeFile('a/b', bytes(''))).rejects.toEqual(failure('ALM_PATH_REFUSED'))
  })

  it('keeps names of all characters', async () => {
    const { data, place } = at()
    const names = [
      'a b',
      'line\nbreak',
      'tab\t',
      'é',
      'e\u0301',
      '\u{1F600}',
      '\uFFFD',
      'quo"te\'s',
      '\\',
      '-rf',
      '%41',
      '~',
      '$HOME',
      '*',
      '?.nc',
      '[a]',
      '#1',
      'a:b',
      'con',
      'trailing ',
      'x'.repeat(255),
    ]
    const files = Object.fromEntries(names.map((name) => [`in ${name.slice(0, 200)}/${name}`, name]))
    const dir = await data.scan(plant(place, `${place.outside}/names`, files), { exclude: [] })
    const { output } = await data.workspace('names')
    plant(place, output('names'), files)
    const collected = await data.collectDir(output('names'))
    expect(plain(collected)).toEqual(plain(dir))
    expect(await contents(data, collected)).toEqual(files)
    await data.writeTo(collected, `${place.outside}/copy`)
    expect(plain(await data.scan(`${place.outside}/copy`, { exclude: [] }))).toEqual(plain(dir))
  })
}
