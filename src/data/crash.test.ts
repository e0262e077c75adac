import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DirRef, FileRef } from '../model/refs.ts'
import type { DiskPlace } from '../testing/disk-place.ts'
import { diskPlace } from '../testing/disk-place.ts'
import { openDataPlane } from './open.ts'

let place: DiskPlace
const open = () => openDataPlane({ home: `${place.root}/.almanac`, data: `${place.root}/data` })

beforeEach(async () => {
  place = await diskPlace(async () => open())
})

afterEach(async () => {
  await place.dispose()
})

/** Puts, adopts, collects and shows without end; says what it has done when that is synced. */
const program = (root: string, round: number): string => `
  import { mkdirSync, writeFileSync } from 'node:fs'
  import { openDataPlane } from ${JSON.stringify(new URL('./open.ts', import.meta.url).href)}
  const data = openDataPlane({ home: '${root}/.almanac', data: '${root}/data' })
  for (let i = 0; ; i++) {
    const text = '${round} ' + i + ' '
    const { output, remove } = await data.workspace('attempt')
    writeFileSync(output('one'), text.repeat(1 + (i % 50) * 1000))
    mkdirSync(output('all') + '/sub', { recursive: true })
    for (let j = 0; j < 20; j++) writeFileSync(output('all') + '/' + (j % 2 ? 'sub/' : '') + j, text)
    const one = await data.collectFile(output('one'))
    const all = await data.collectDir(output('all'))
    const put = await data.writeFile('put', Buffer.from(text))
    await data.show('dev', 'shown', all)
    await data.open(one)
    await data.sync()
    await remove()
    process.stdout.write(JSON.stringify({ files: [one, put], dir: all }) + '\\n')
  }
`

interface Done {
  readonly files: readonly FileRef[]
  readonly dir: DirRef
}

/** Runs the program until it has said `lines` lines, and a little longer; kills it and gives what it said. */
function runAndKill(round: number, lines: number, moreMs: number): Promise<Done[]> {
  const child = spawn(
    process.execPath,
    ['--input-type=module-typescript', '-e', program(place.root, round)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const said: Done[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    said.push(JSON.parse(line) as Done)
    // the moment of the kill is what is varied: nothing is waited for
    if (said.length === lines) setTimeout(() => child.kill('SIGKILL'), moreMs)
  })
  return new Promise((resolve) => child.once('close', () => resolve(said)))
}

it('a kill at any moment leaves no wrong blob, nothing half shown, and loses nothing that was synced', async () => {
  for (let round = 0; round < 4; round++) {
    const said = await runAndKill(round, 2 + round, round * 2.3)
    const data = open()
    const report = await data.checkStore()
    expect(report.damaged).toEqual([])
    for (const { files, dir } of said) {
      for (const { name, digest, size } of files)
        expect(await data.available(new FileRef(name, digest, size))).toBe(true)
      expect(await data.available(new DirRef(dir.digest, dir.entries, dir.size))).toBe(true)
    }
    const shown = `${place.root}/data/dev/shown`
    const texts = [
      ...readdirSync(shown)
        .filter((name) => name !== 'sub')
        .map((name) => readFileSync(`${shown}/${name}`, 'utf8')),
      ...readdirSync(`${shown}/sub`).map((name) => readFileSync(`${shown}/sub/${name}`, 'utf8')),
    ]
    expect([texts.length, new Set(texts).size]).toEqual([20, 1])
    expect(readdirSync(`${place.root}/data/dev`).filter((name) => !name.startsWith('.'))).toEqual(['shown'])
    // of the killed process nothing is left
    expect(readdirSync(`${place.root}/.almanac/work`)).toHaveLength(2)
    await data.close()
    expect(readdirSync(`${place.root}/.almanac/work`)).toEqual([])
  }
})
