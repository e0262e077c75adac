import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { temporaryHome } from '../testing/temporary-home.ts'

/** Shows something in a directory of its environment and takes it away again, and so forth; says what went wrong. */
const program = `
  import { openDataPlane } from ${JSON.stringify(new URL('./open.ts', import.meta.url).href)}
  const [root, name] = process.argv.slice(1)
  const data = openDataPlane({ home: root + '/.almanac', data: root + '/data' })
  const file = await data.writeFile('x', Buffer.from(name))
  const failures = []
  for (let i = 0; i < 1500; i++) {
    try {
      await data.show('main', 'group/' + name, file)
      await data.shown('main', 'group/a')
      await data.hide('main', 'group/' + name)
    } catch (error) {
      failures.push(error.message)
    }
  }
  await data.close()
  console.log(JSON.stringify(failures))
`

it('what two processes show in one directory and take away does not trouble either', async () => {
  const home = await temporaryHome()
  const told = await Promise.all(
    ['a', 'b'].map(async (name) => {
      const words = ['--input-type=module-typescript', '-e', program, home.path, name]
      return (await promisify(execFile)(process.execPath, words)).stdout.trim()
    }),
  )
  expect(told).toEqual(['[]', '[]'])
  await home.remove()
})
