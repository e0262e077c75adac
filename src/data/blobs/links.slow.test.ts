import { lstatSync, readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { bytes } from '../../testing/contracts/data-fixture.ts'
import { diskPlace } from '../../testing/disk-place.ts'
import { openDataPlane } from '../open.ts'

it('gives more files of one content than the file system has links for', async () => {
  const place = await diskPlace(async (root) =>
    openDataPlane({ home: `${root}/.almanac`, data: `${root}/data` }),
  )
  const data = await place.open()
  const file = await data.writeFile('same', bytes('the same'))
  const count = 65_100
  const names = Array.from({ length: count }, (_, i) => `${i % 100}/file${i}`)
  const dir = await data.assemble(names.map((name) => [name, file] as const))
  const path = await data.show('main', 'many', dir)
  let files = 0
  let bytesThere = 0
  for (const folder of readdirSync(path))
    for (const name of readdirSync(`${path}/${folder}`)) {
      files++
      bytesThere += lstatSync(`${path}/${folder}/${name}`).size
    }
  expect([files, bytesThere]).toEqual([count, count * 8])
  await data.close()
  await place.dispose()
})
