import { readFileSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { runProgram } from './program.ts'

// compiled code is kept by Node: half of the start-up would go into parsing otherwise
enableCompileCache()

const manifest = new URL('../../package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }

await runProgram(version, process.argv.slice(2))

// timers and sockets that a task of the author's left open must not keep the command from ending
process.stdout.write('', () => process.stderr.write('', () => process.exit()))
