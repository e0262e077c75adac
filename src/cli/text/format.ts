import pc from 'picocolors'
import type { RunRecord } from '../../model/records.ts'
import type { CallState } from '../../model/states.ts'
import type { RunStatus, ShownState } from './run-status.ts'

/** A duration as people say it: `380 ms`, `4.2 s`, `3 m 10 s`, `2 h 5 m`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} m ${Math.floor((ms % 60_000) / 1000)} s`
  return `${Math.floor(ms / 3_600_000)} h ${Math.floor((ms % 3_600_000) / 60_000)} m`
}

/** Bytes as people say them. */
export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** Local time, to the second. */
export function timeText(at: number | undefined): string {
  if (at === undefined) return ''
  const date = new Date(at)
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** Of lines that follow close upon each other: local time of day, to the ms. */
export function clockText(at: number): string {
  const ms = String(new Date(at).getMilliseconds()).padStart(3, '0')
  return `${timeText(at).slice(-8)}.${ms}`
}

const colours: Readonly<Record<string, (text: string) => string>> = {
  succeeded: pc.green,
  failed: pc.red,
  running: pc.cyan,
  cancelled: pc.yellow,
  cancelling: pc.yellow,
  interrupted: pc.yellow,
  paused: pc.yellow,
  waiting: pc.magenta,
  skipped: pc.dim,
}

/** A state in its colour. */
export const stateText = (state: ShownState | CallState): string => (colours[state] ?? String)(state)

/** `54 succeeded, 1 failed`. Of what has not ended only the process that has the run knows whether it runs. */
export const countsText = (counts: Readonly<Partial<Record<CallState, number>>>, underWay = false): string =>
  Object.entries(counts)
    .filter(([, n]) => n > 0)
    .map(([state, n]) => `${n} ${underWay && state === 'waiting' ? 'running or waiting' : state}`)
    .join(', ')

/** What a run has done and has to do, and who does it. */
export function figuresText(
  run: Pick<RunRecord, 'counts' | 'executed' | 'reused'>,
  { process }: Pick<RunStatus, 'process'>,
): string {
  // what succeeded was executed or reused: that is said
  const { succeeded: _, ...others } = run.counts
  const counts = countsText(others, process !== undefined)
  return [
    ...(counts === '' ? [] : [counts]),
    `${run.executed} executed`,
    `${run.reused} reused`,
    ...(process === undefined ? [] : [`process ${process.pid} on ${process.host} has it`]),
  ].join(' · ')
}

export const filesText = (count: number): string => `${count} ${count === 1 ? 'file' : 'files'}`
