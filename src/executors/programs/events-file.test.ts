import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultLimits } from '../limits.ts'
import { EventsFile } from './events-file.ts'

let folder = ''
let path = ''
let heard: unknown[] = []
const listener = {
  note: (note: { readonly name: string }) => heard.push(note.name),
  heartbeat: () => heard.push('heartbeat'),
  warn: (_name: string, text: string) => heard.push(text),
}
const open = (limits = {}): EventsFile =>
  new EventsFile(path, folder, listener, { ...defaultLimits, ...limits })
const event = (name: string): string => `${JSON.stringify({ type: 'event', name })}\n`

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'events-'))
  path = join(folder, 'events.jsonl')
  heard = []
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('the file in ALMANAC_EVENTS', () => {
  it('is read as it grows, by whole lines', () => {
    const events = open()
    events.read()
    appendFileSync(path, event('a') + event('b').slice(0, 10))
    events.read()
    expect(heard).toEqual(['a'])
    appendFileSync(path, `${event('b').slice(10)}\n{"type":"heartbeat"}\n`)
    events.read()
    events.read()
    expect(heard).toEqual(['a', 'b', 'heartbeat'])
    events.close()
    expect(heard).toEqual(['a', 'b', 'heartbeat'])
  })

  it('may end without a line end', () => {
    const events = open()
    appendFileSync(path, event('a').trimEnd())
    events.close()
    events.close()
    events.read()
    expect(heard).toEqual(['a'])
  })

  it('holds lines of any size across the pieces in which it is read', () => {
    const events = open()
    const names = Array.from({ length: 3000 }, (_, i) => `e${i}-${'x'.repeat(i % 97)}`)
    appendFileSync(path, names.map(event).join(''))
    events.close()
    expect(heard).toEqual(names)
  })

  it('is told of lines that are not understood, a few of them, and goes on', () => {
    const events = open()
    appendFileSync(path, `oops\n${event('a')}${'nonsense\n'.repeat(1000)}${event('b')}`)
    events.close()
    expect(heard.filter((one) => one === 'a' || one === 'b')).toEqual(['a', 'b'])
    expect(heard[0]).toBe('A line of ALMANAC_EVENTS was ignored, it is no JSON: oops')
    expect(heard).toHaveLength(2 + 10 + 1)
    expect(heard.at(-1)).toBe('1001 lines of ALMANAC_EVENTS were ignored.')
  })

  it('may hold a line that is too long, which is skipped without being kept', () => {
    const events = open({ noteBytes: 1000 })
    appendFileSync(path, 'x'.repeat(900))
    events.read()
    appendFileSync(path, 'x'.repeat(200_000))
    events.read()
    appendFileSync(path, `x\n${event('after')}`)
    events.close()
    expect(heard).toEqual(['A line of ALMANAC_EVENTS was ignored, it is longer than 1000 bytes', 'after'])
  })

  it('is read up to a limit', () => {
    const events = open({ eventBytes: 70_000 })
    appendFileSync(path, event('a').repeat(100_000))
    events.close()
    const names = heard.filter((one) => one === 'a').length
    expect(names).toBeGreaterThan(2000)
    expect(names).toBeLessThan(6000)
    expect(heard).toContain('ALMANAC_EVENTS is read up to 68.4 KiB only.')
  })

  it('may be written anew from its start', () => {
    const events = open()
    appendFileSync(path, event('a') + event('b'))
    events.read()
    writeFileSync(path, event('c'))
    events.close()
    expect(heard).toEqual(['a', 'b', 'c'])
  })

  it('is not looked for again where the task put something else in its place', () => {
    const events = open()
    appendFileSync(path, event('a'))
    renameSync(path, `${path}.old`)
    writeFileSync(path, event('b'))
    events.close()
    expect(heard).toEqual(['a'])
  })

  it('is not opened where something lies at its path already', () => {
    writeFileSync(path, '')
    expect(() => open()).toThrow('EEXIST')
  })
})
