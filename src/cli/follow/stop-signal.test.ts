import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

/** Of a process of its own, as signals are heard by all of one; its time is as it says. */
const program = `
const { hearNoEcho, onStopSignal } = await import(${JSON.stringify(new URL('./stop-signal.ts', import.meta.url).href)})
const said = []
let now = 0
performance.now = () => now
const tell = (name, at) => {
  now = at
  process.emit(name, name)
}
const unhear = onStopSignal(() => said.push(['first', now]), () => said.push(['next', now]))
tell('SIGINT', 0)
tell('SIGTERM', 5000)
tell('SIGTERM', 5050)
tell('SIGINT', 6000)
hearNoEcho()
unhear()
// one that nobody hears ends the process at once
process.kill(process.pid, 'SIGTERM')
said.push(['lives', now])
console.log(JSON.stringify(said))
`

it('the first signal counts, and the next of its kind; what is passed on, however late, does not', () => {
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  expect(JSON.parse(said)).toEqual([
    ['first', 0],
    ['next', 6000],
    ['lives', 6000],
  ])
})
