import { spawn } from 'node:child_process'
import { StringDecoder } from 'node:string_decoder'

/** What a command of a container program gave. */
export interface ClientAnswer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** More output than this of a command is nothing that is asked for here. */
const mostLetters = 4_000_000

/**
 * Runs a command of a container program to its end, under a limit of time.
 * @throws what the system says where it cannot be started
 */
export function ask(
  words: readonly string[],
  { timeoutMs, onLine }: { readonly timeoutMs: number; readonly onLine?: (line: string) => void },
): Promise<ClientAnswer> {
  const [program = '', ...args] = words
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    let stderr = ''
    let line = ''
    const [out, err] = [new StringDecoder(), new StringDecoder()]
    child.stdout.on('data', (chunk: Buffer) => {
      if (stdout.length < mostLetters) stdout += out.write(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      const text = err.write(chunk)
      stderr = `${stderr}${text}`.slice(-mostLetters)
      if (onLine === undefined) return
      const lines = `${line}${text}`.split(/[\r\n]+/)
      line = lines.pop() ?? ''
      for (const whole of lines) if (whole.trim() !== '') onLine(whole.trim())
    })
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL')
        stderr += `${program} ${args[0] ?? ''} did not end within ${timeoutMs / 1000} s`
      resolve({ code: code ?? 128, stdout, stderr })
    })
  })
}

/** What a container program says went wrong, in one line without its decorations. */
export function complaint({ stderr, stdout, code }: ClientAnswer): string {
  const lines = `${stderr.trim() || stdout.trim()}`.split('\n').filter((line) => line.trim() !== '')
  const last =
    lines.findLast((line) => /error|denied|cannot|level=(?:error|fatal)/i.test(line)) ?? lines.at(-1)
  if (last === undefined) return `it ended with exit code ${code}`
  return last
    .replace(/^time="[^"]*" level=\w+ msg="(.*)"$/, '$1')
    .replace(/^(?:Error|error|docker|Error response from daemon): */, '')
    .replace(/^Error response from daemon: */, '')
    .slice(0, 600)
    .replace(/\.$/, '')
}
