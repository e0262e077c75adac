import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { runPuppet } from './puppet.ts'

/** A puppet as a program: `node puppet-program.ts CONTROL TOKEN`, or with both in `ALMANAC_PARAMS`. */

const write = (stream: NodeJS.WriteStream, text: string): Promise<void> =>
  new Promise((resolve) => {
    stream.write(`${text}\n`, () => resolve())
  })

function told(): readonly [control: string, token: string] {
  const [, , control, token] = process.argv
  if (control !== undefined && token !== undefined) return [control, token]
  const params: unknown = JSON.parse(readFileSync(process.env['ALMANAC_PARAMS'] ?? '', 'utf8'))
  const named = params as { readonly control: string; readonly token: string }
  return [named.control, named.token]
}

const [control, token] = told()
runPuppet(control, token, {
  log: (stream, text) => write(process[stream], text),
  say: (line) => appendFileSync(process.env['ALMANAC_EVENTS'] ?? '', `${JSON.stringify(line)}\n`),
  stubborn: (asked) => {
    process.on('SIGTERM', asked)
  },
}).then(
  (value) => {
    writeFileSync(process.env['ALMANAC_RESULT'] ?? '', JSON.stringify(value))
    // a child that it has started does not hold it
    process.exit(0)
  },
  async (error: Error) => {
    await write(process.stderr, error.message)
    process.exit(1)
  },
)
