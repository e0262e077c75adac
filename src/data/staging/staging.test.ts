import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileRef } from '../../model/refs.ts'
import { bytes, contents, failure, managed, text } from '../../testing/contracts/data-fixture.ts'
import type { DiskPlace } from '../../testing/disk-place.ts'
import { diskPlace } from '../../testing/disk-place.ts'
import { shard } from '../files/home.ts'
import type { LocalDataPlane } from '../local-data-plane.ts'
import { openDataPlane } from '../open.ts'

let place: DiskPlace
let data: LocalDataPlane
const open = (root = place.root) => openDataPlane({ home: `${root}/.almanac`, data: `${root}/data` })
const blobOf = (file: FileRef) => shard(`${place.root}/.almanac/store`, file.digest)

beforeEach(async () => {
  place = await diskPlace(async () => open())
  data = open()
})

afterEach(async () => {
  await data.close()
  await place.dispose()
})

describe('what tasks are given', () => {
  it('is read only, and shares its bytes with the store where that is safe', async () => {
    const file = await data.writeFile('x.nc', bytes('hello'))
    const path = await data.open(file)
    const { output } = await data.workspace('a')
    place.write(output('run.sh'), '#!/bin/sh\necho ran', true)
    const script = await data.collectFile(output('run.sh'))
    const program = await data.open(script)
    const dir = await data.assemble([
      ['bin/run.sh', script],
      ['x.nc', file],
      ['none', await data.assemble([])],
    ])
    const tree = await data.open(dir)
    const modes = [
      path,
      program,
      tree,
      `${tree}/bin`,
      `${tree}/bin/run.sh`,
      `${tree}/x.nc`,
      `${tree}/none`,
    ].map((one) => (statSync(one).mode & 0o777).toString(8))
    expect(modes).toEqual(['444', '555', '555', '555', '555', '444', '555'])
    expect(execFileSync(`${tree}/bin/run.sh`, { encoding: 'utf8' })).toBe('ran\n')
    expect(lstatSync(path).nlink).toBeGreaterThan(1)
    // the store's copy is no program
    expect(statSync(blobOf(script)).mode & 0o777).toBe(0o444)
    await data.verify([file, script, dir])
  })

  it('is told apart by name and by executable bit', async () => {
    const file = await data.writeFile('x', bytes('same'))
    const paths = await Promise.all(
      [file, new FileRef('y', file.digest, 4), new FileRef('x', file.digest, 4, true)].map((ref) =>
        data.open(ref),
      ),
    )
    expect(new Set(paths).size).toBe(3)
    expect(paths.map((path) => place.read(path))).toEqual(['same', 'same', 'same'])
  })

  it('is whole again after only a time of it was changed', async () => {
    const file = await data.writeFile('x', bytes('hello'))
    const dir = await managed(data, { 'a/1': 'one' })
    const [path, tree] = [await data.open(file), await data.open(dir)]
    utimesSync(path, 1, 1)
    utimesSync(`${tree}/a/1`, 1, 1)
    await data.verify([file, dir])
    expect(await data.available(file)).toBe(true)
  })

  it('is undone where a task wrote to a private copy, and the store is none the worse', async () => {
    const { output } = await data.workspace('a')
    place.write(output('run.sh'), '#!', true)
    const script = await data.collectFile(output('run.sh'))
    const path = await data.open(script)
    place.write(path, 'rm -rf', true)
    await expect(data.verify([script])).rejects.toEqual(failure('ALM_TASK_WROTE_INPUT', { path }))
    expect(text(await data.readFile(script))).toBe('#!')
    expect(place.read(path)).toBe('#!')
    await data.verify([script])
  })

  it('of many at once is made once', async () => {
    const dir = await managed(
      data,
      Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`d${i % 7}/${i}`, `${i}`])),
    )
    const other = open()
    const paths = await Promise.all([
      data.open(dir),
      data.open(dir),
      other.open(dir),
      data.open(dir),
      other.open(dir),
    ])
    expect(new Set(paths).size).toBe(1)
    expect(readdirSync(paths[0] as string)).toHaveLength(7)
    await Promise.all([data.verify([dir]), other.verify([dir])])
    expect(readdirSync(`${place.root}/.almanac/work`).length).toBe(4)
    await other.close()
  })

  it('is made whole by the next process where something of it is gone', async () => {
    const dir = await managed(data, { 'a/1': 'one', 'b/2': 'two' })
    const path = await data.open(dir)
    await data.close()
    chmodSync(`${path}/a`, 0o755)
    rmSync(`${path}/a/1`)
    data = open()
    expect(await data.open(dir)).toBe(path)
    expect(place.read(`${path}/a/1`)).toBe('one')
  })
})

describe('what a task leaves', () => {
  it('may link within itself, and not out of itself', async () => {
    const { output } = await data.workspace('a')
    place.write(`${output('good')}/real/1`, 'one')
    symlinkSync('real/1', `${output('good')}/a`)
    execFileSync('ln', [`${output('good')}/real/1`, `${output('good')}/hard`])
    expect(await contents(data, await data.collectDir(output('good')))).toEqual({
      'real/1': 'one',
      a: 'one',
      hard: 'one',
    })
    place.write(`${place.outside}/mine`, 'mine')
    for (const [name, target] of [
      ['abs', `${place.outside}/mine`],
      ['out', '../good'],
      ['none', 'nothing'],
      ['dir', '.'],
    ] as const) {
      place.makeDirectory(output(name))
      symlinkSync(target, `${output(name)}/x`)
      await expect(data.collectDir(output(name)), name).rejects.toEqual(
        failure('ALM_PATH_REFUSED', { path: `${output(name)}/x` }),
      )
    }
    symlinkSync(`${place.outside}/mine`, output('file'))
    await expect(data.collectFile(output('file'))).rejects.toEqual(
      failure('ALM_PATH_REFUSED', { path: output('file') }),
    )
    execFileSync('sh', ['-c', 'mkfifo "$0"', output('pipe')])
    await expect(data.collectFile(output('pipe'))).rejects.toEqual(
      failure('ALM_PATH_REFUSED', {
        path: output('pipe'),
        why: 'it is a named pipe, where a file was declared',
      }),
    )
    expect(place.read(`${place.outside}/mine`)).toBe('mine')
  })

  it('may be a hard link to a file of the user’s, who keeps it', async () => {
    const { output } = await data.workspace('a')
    place.write(`${place.outside}/mine`, 'mine')
    execFileSync('ln', [`${place.outside}/mine`, output('x')])
    const file = await data.collectFile(output('x'))
    place.write(`${place.outside}/mine`, 'MINE')
    expect(text(await data.readFile(file))).toBe('mine')
    expect(statSync(`${place.outside}/mine`).mode & 0o777).toBe(0o644)
  })

  it('lies at a short path of plain letters, whatever the attempt is called', async () => {
    const names = ['run-7.1', '../../x', '.', '', 'a/b c', 'x'.repeat(300), 'é']
    const directories = await Promise.all(names.map(async (name) => (await data.workspace(name)).scratch))
    expect(new Set(directories).size).toBe(names.length)
    for (const directory of directories) {
      const below = directory.slice(`${place.root}/.almanac/work/`.length)
      expect(below).toMatch(/^\d+-[0-9a-f]{8}\/attempts\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,40}\/scratch$/)
      expect(existsSync(directory)).toBe(true)
    }
    const { output } = await data.workspace('a')
    expect(() => output('../x')).toThrow(failure('ALM_PATH_REFUSED'))
  })
})

describe('what is shown', () => {
  it('still is when the project has moved, for any program', async () => {
    const dir = await managed(data, { 'a/1': 'one' })
    const path = await data.show('dev', 'group/index', dir)
    await data.show('dev', 'x.md', await data.writeFile('x.md', bytes('# x')))
    expect(readlinkSync(path)).toBe(`../../../.almanac/trees/${dir.digest.slice(0, 2)}/${dir.digest}`)
    await data.close()
    const moved = `${place.root}/moved`
    place.makeDirectory(moved)
    renameSync(`${place.root}/.almanac`, `${moved}/.almanac`)
    renameSync(`${place.root}/data`, `${moved}/data`)
    expect(
      execFileSync('cat', [`${moved}/data/dev/group/index/a/1`, `${moved}/data/dev/x.md`], {
        encoding: 'utf8',
      }),
    ).toBe('one# x')
    data = open(moved)
    const shown = await data.show('dev', 'group/index', await managed(data, { 'a/1': 'two' }))
    expect(place.read(`${shown}/a/1`)).toBe('two')
  })

  it('is switched where the data directory is a link to another disk', async () => {
    place.makeDirectory(`${place.root}/elsewhere/deep`)
    symlinkSync('elsewhere/deep', `${place.root}/data`)
    const path = await data.show('dev', 'index', await managed(data, { '1': 'one' }))
    expect(await data.show('dev', 'index', await managed(data, { '1': 'two' }))).toBe(path)
    expect(place.read(`${place.root}/elsewhere/deep/dev/index/1`)).toBe('two')
  })

  it('does not take the place of another link', async () => {
    place.makeDirectory(`${place.root}/data/dev`)
    symlinkSync('../../outside', `${place.root}/data/dev/mine`)
    const path = `${place.root}/data/dev/mine`
    await expect(data.show('dev', 'mine', await managed(data, { '1': 'one' }))).rejects.toEqual(
      failure('ALM_TARGET_EXISTS', { path }),
    )
  })
})

describe('a data plane', () => {
  it('makes nothing before it is used', async () => {
    await data.sync()
    await data.close()
    expect(readdirSync(place.root)).toEqual(['outside'])
  })

  it('leaves no trace of attempts and threads when it is closed', async () => {
    const { output } = await data.workspace('a')
    place.write(output('x'), 'x')
    await managed(data, Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${i}`, `${i}`]))).then(
      (dir) => data.open(dir),
    )
    await data.close()
    expect(readdirSync(`${place.root}/.almanac/work`)).toEqual([])
  })

  it('cleans up after processes that are gone', async () => {
    const code = `
      import { openDataPlane } from ${JSON.stringify(new URL('../open.ts', import.meta.url).href)}
      const data = openDataPlane({ home: '${place.root}/.almanac', data: '${place.root}/data' })
      await data.workspace('left')
      process.kill(process.pid, 'SIGKILL')
    `
    await data.workspace('mine')
    expect(() =>
      execFileSync(process.execPath, ['--input-type=module-typescript', '-e', code], { stdio: 'ignore' }),
    ).toThrow('Command failed')
    expect(readdirSync(`${place.root}/.almanac/work`)).toHaveLength(4)
    expect(await data.cleanWorkspaces()).toBe(1)
    expect(readdirSync(`${place.root}/.almanac/work`)).toHaveLength(2)
    expect(await data.cleanWorkspaces()).toBe(0)
  })
})
