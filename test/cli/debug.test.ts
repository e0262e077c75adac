import { afterEach, describe, expect, it } from 'vitest'
import { Project } from './almanac.ts'
import { Inspector, ScriptLines } from './inspector.ts'

let project: Project

afterEach(() => project.remove())

interface Paused {
  readonly callFrames: readonly {
    readonly functionName: string
    readonly location: {
      readonly scriptId: string
      readonly lineNumber: number
      readonly columnNumber: number
    }
  }[]
}

interface Parsed {
  readonly scriptId: string
  readonly url: string
  readonly sourceMapURL: string
}

/** Goes on until a script is about to run that has this URL. */
async function stopBefore(inspector: Inspector, url: RegExp): Promise<Parsed> {
  for (;;) {
    const { callFrames } = await inspector.event<Paused>('Debugger.paused')
    const scriptId = callFrames[0]?.location.scriptId
    const script = await inspector.event<Parsed>(
      'Debugger.scriptParsed',
      (parsed) => parsed.scriptId === scriptId,
    )
    if (url.test(script.url)) return script
    await inspector.send('Debugger.resume')
  }
}

const levels = `import { task, workflow } from 'almanac'

const level = task('level', { timeout: '1s' }, async function doubled(n: number): Promise<number> {
  const twice: number = n * 2
  await new Promise(setImmediate)
  return twice
})

export default workflow('levels', async () => level(21))
`

describe('--inline under node --inspect', () => {
  it('stops at a breakpoint of the author’s file and line, for longer than the task’s timeout', async () => {
    project = await Project.make({ 'levels.ts': levels })
    const run = project.startWith(['--inspect-brk=127.0.0.1:0'], 'run', 'levels.ts', '--inline', '--json')
    await run.saw(/ws:\/\/\S+\s/)
    const inspector = await Inspector.connect(/ws:\/\/\S+/.exec(run.said())?.[0] ?? '')
    await inspector.send('Runtime.enable')
    await inspector.send('Debugger.enable')
    // a debugger stops each new script that has a source map before it runs, to set its breakpoints
    await inspector.send('Debugger.setInstrumentationBreakpoint', {
      instrumentation: 'beforeScriptWithSourceMapExecution',
    })
    await inspector.send('Runtime.runIfWaitingForDebugger')
    const script = await stopBefore(inspector, /levels-\w+\.mjs$/)
    const lines = new ScriptLines(script.sourceMapURL)
    const location = { scriptId: script.scriptId, ...lines.generated('levels.ts', 3) }
    await inspector.send('Debugger.setBreakpoint', { location })
    await inspector.send('Debugger.resume')

    const { callFrames } = await inspector.event<Paused>('Debugger.paused')
    const top = callFrames[0]
    const at = top?.location
    expect([top?.functionName, lines.original(at?.lineNumber ?? -1, at?.columnNumber ?? -1)]).toEqual([
      'doubled',
      ['levels.ts', 3],
    ])
    // the task's second is over when the person goes on
    await inspector.send('Runtime.evaluate', {
      expression: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500)',
    })
    await inspector.send('Debugger.resume')
    await run.saw(/"kind":"run"/)
    inspector.close()
    const { code, stdout } = await run.ended
    const { state, output } = JSON.parse(stdout.trim().split('\n').at(-1) as string) as Record<
      string,
      unknown
    >
    expect({ code, state, output }).toEqual({ code: 0, state: 'succeeded', output: 42 })
  })
})

describe('--debug-python', () => {
  it('stops at breakpoint() on the terminal, answers, and goes on', async () => {
    project = await Project.make({
      'steps.py': 'def level(n):\n    breakpoint()\n    return n * 2\n',
      'levels.ts': `
import { json, python, workflow } from 'almanac'
const level = python.task({ run: 'steps.py:level', input: { n: json<number>() }, output: { twice: json<number>() }, timeout: '1s' })
export default workflow('levels', async () => (await level({ n: 21 })).twice)
`,
    })
    const { child, saw, said, ended } = project.onTerminal(100, 'run', 'levels.ts', '--debug-python')
    await saw(/\(Pdb\) /)
    expect(said()).toMatch(/steps\.py\(\d\)level\(\)/)
    child.stdin.write('p n + 1000\n')
    await saw(/1021/)
    child.stdin.write('c\n')
    await saw(/succeeded/)
    child.stdin.end()
    const { code, stdout } = await ended
    expect({ code, succeeded: /succeeded · 1 executed/.test(stdout) }).toEqual({ code: 0, succeeded: true })
  })
})
