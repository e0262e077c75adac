import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'almanac-disk-'))
})

afterEach(() => {
  chmodSync(directory, 0o755)
  rmSync(directory, { recursive: true })
})

/** Says the codes of what goes wrong, and what is there afterwards. */
const program = (root: string): string => `
  import { execFileSync } from 'node:child_process'
  import { randomBytes } from 'node:crypto'
  import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
  import { openDataPlane } from ${JSON.stringify(new URL('./open.ts', import.meta.url).href)}
  const data = openDataPlane({ home: '${root}/.almanac', data: '${root}/data' })
  const failing = (work) => work.then(() => 'nothing', (error) => error.code)
  const said = {}
  const kept = await data.writeFile('kept', Buffer.from('kept'))
  const large = randomBytes(1 << 20)
  said.put = await failing(data.writeFile('large', large))
  said.adopt = await failing(data.collectFile('${root}/../large'))
  said.temporary = readdirSync('${root}/.almanac/work').flatMap((name) => name.endsWith('.json') ? [] : readdirSync('${root}/.almanac/work/' + name + '/tmp'))
  said.damaged = (await data.checkStore()).damaged
  said.after = await failing(data.writeFile('small', Buffer.from('small')))
  said.kept = Buffer.from(await data.readFile(kept)).toString()
  if (process.argv[1] === 'mounted') {
    const torn = await data.writeFile('torn', Buffer.from('torn'))
    const blob = '${root}/.almanac/store/' + torn.digest.slice(0, 2) + '/' + torn.digest
    chmodSync(blob, 0o644)
    writeFileSync(blob, 'TORN')
    execFileSync('mount', ['-o', 'remount,bind,ro', '${root}'])
    said.readOnly = await failing(data.writeFile('other', Buffer.from('other')))
    said.readable = Buffer.from(await data.readFile(kept)).toString()
    const second = openDataPlane({ home: '${root}/.almanac', data: '${root}/data' })
    const unpin = await second.pin(kept)
    await second.writeTo(kept, '${root}/../copy')
    unpin()
    said.second = {
      read: Buffer.from(await second.readFile(kept)).toString(),
      copied: readFileSync('${root}/../copy', 'utf8'),
      checked: (await second.checkStore()).damaged.map(({ digest }) => digest === torn.digest),
      torn: [await second.available(torn), await second.available(kept)],
      refused: await failing(second.writeFile('other', Buffer.from('other'))),
      closed: await failing(second.close()),
    }
  }
  process.stdout.write(JSON.stringify(said))
  process.exit(0)
`

it('a disk that is full or read only is said so, nothing half-written is there, and the rest goes on', () => {
  const root = `${directory}/disk`
  mkdirSync(root)
  writeFileSync(`${directory}/large`, Buffer.alloc(1 << 20, 'large'))
  // a disk of our own needs a namespace of our own; where there is none, a limit on the size of files stands in
  const mount = `mount -t tmpfs -o size=256k tmpfs ${root}`
  const mounted = spawnSync('sh', ['-c', `unshare -rm ${mount}`]).status === 0
  const run = `exec "$0" --input-type=module-typescript -e "$1" ${mounted ? 'mounted' : 'limited'}`
  const script = mounted ? `exec unshare -rm sh -c '${mount} && ${run}' "$0" "$1"` : `ulimit -f 256; ${run}`
  const { stdout, stderr } = spawnSync('sh', ['-c', script, process.execPath, program(root)], {
    encoding: 'utf8',
  })
  const full = 'ALM_STORE_FULL'
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual({
    put: full,
    // without a mount it is the same disk, to which it is moved
    adopt: mounted ? full : 'nothing',
    temporary: [],
    damaged: [],
    after: 'nothing',
    kept: 'kept',
    ...(mounted && {
      readOnly: 'ALM_STORE_READ_ONLY',
      readable: 'kept',
      second: {
        read: 'kept',
        copied: 'kept',
        checked: [true],
        torn: [false, true],
        refused: 'ALM_STORE_READ_ONLY',
        closed: 'nothing',
      },
    }),
  })
})
