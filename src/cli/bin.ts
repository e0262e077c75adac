import { readFileSync } from 'node:fs'
import { runProgram } from './program.ts'

// whoever reads the output may stop reading, as `head` does: what is under way goes on, and the exit code
// tells; a command that only tells ends itself
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return
    // a file on a full disk: what is durable stays, as after a kill
    if (stream === process.stdout) process.stderr.write(`The output cannot be written: ${error.message}\n`)
    process.exit(1)
  })
}

const manifest = new URL('../../package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }

await runProgram(version, process.argv.slice(2))

// timers and sockets that a task of the author's left open must not keep the command from ending
process.stdout.write('', () => process.stderr.write('', () => process.exit()))
