import pc from 'picocolors'
import { decode } from '../../model/codec.ts'
import { isAlmanacError } from '../../model/errors.ts'
import type { AskRecord, ErrorRecord, Note, RunRecord } from '../../model/records.ts'
import type { Value } from '../../model/value.ts'
import type { RunHandle, StartOptions } from '../../workbench.ts'
import { nextCommand } from '../output/command-text.ts'
import { shownName } from '../output/printable.ts'
import type { Printer } from '../output/printer.ts'
import { failureLines } from '../text/failure-lines.ts'
import { askObject, noteObject } from '../text/objects.ts'
import { pendingCommand, pendingText } from '../text/pending-input.ts'
import { inputText, valueText } from '../text/values.ts'
import type { Downloads } from './progress.ts'

type Listener = NonNullable<StartOptions['listener']>
type TriggeredEnd = Parameters<NonNullable<Listener['triggeredEnded']>>[1]
type Failed = Parameters<NonNullable<Listener['failed']>>

/** Failures of one task that are told of one by one, and lines of any kind: what is more is counted. */
const toldFailures = 3
const toldWarnings = 20
/** lines of runs that are triggered */
const toldTriggered = 40
/** an answer that was given before the run went on is taken within this time */
const askMs = 400

/**
 * What is told of a run while it goes on.
 *
 * R1 nothing is told before the run's id is known.
 * R2 lines for people are bounded, whatever the number of calls; objects for programs are complete.
 */
export class Report {
  readonly #printer: Printer
  readonly #say: (lines: readonly string[]) => void
  readonly #told = new Set<number>()
  readonly #failures = new Map<string, number>()
  readonly #retries = new Map<string, number>()
  readonly #warnings = new Set<string>()
  readonly #downloads = new Map<number, Downloads>()
  readonly #asks = new Map<number, AskRecord>()
  #toldTriggered = 0
  #askTimer: NodeJS.Timeout | undefined
  #run: string | undefined
  #held: (() => void)[] = []

  constructor(printer: Printer, say: (lines: readonly string[]) => void) {
    this.#printer = printer
    this.#say = say
  }

  readonly listener: Listener = {
    failed: (...failed) => this.#whenStarted(() => this.#failed(...failed)),
    noted: (note) => this.#whenStarted(() => this.#noted(note)),
    asked: (ask) => this.#whenStarted(() => this.#asked(ask)),
    triggered: (run) => this.#whenStarted(() => this.#triggered(run)),
    triggeredEnded: (run, end) => this.#triggeredEnded(run, end),
  }

  started({ id }: RunHandle): void {
    this.#run = id
    this.#printer.object({ kind: 'started', id })
    for (const tell of this.#held) tell()
    this.#held = []
  }

  /** Has the failure of a call been told of? */
  hasTold(call: number | undefined): boolean {
    return call !== undefined && this.#told.has(call)
  }

  /** Says what was only counted; `waiting`: what people are asked is still open. */
  ended(waiting: boolean): void {
    if (waiting) this.#tellAsks()
    clearTimeout(this.#askTimer)
    for (const [task, count] of this.#failures) {
      const more = count - toldFailures
      if (more > 0)
        this.#say([pc.dim(`  and ${more} more of ${task}: ${nextCommand(`show ${this.#run} ${task}`)}`)])
    }
  }

  #whenStarted(tell: () => void): void {
    if (this.#run === undefined) this.#held.push(tell)
    else tell()
  }

  #failed(...[{ id, request, entry }, error, attempt, final, input]: Failed): void {
    const { name, kind } = request
    this.#printer.object({
      kind: 'failure',
      run: this.#run,
      call: id,
      task: name,
      entry: entry ?? null,
      attempt,
      final,
      error,
    })
    // a map or a workflow that fails of its calls says nothing new
    if (kind === 'map' || (error.call !== undefined && error.call !== id)) return
    const counts = final ? this.#failures : this.#retries
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    if (final) this.#told.add(id)
    if (count > toldFailures) return
    if (final) {
      const task = entry === undefined ? name : `${name} ${shownName(entry)}`
      const { debug } = this.#printer
      this.#say(failureLines(error, { task, input: inputOf(input), debug }))
    } else this.#say([`${pc.yellow('↻')} ${name}: ${error.message.replace(/\.$/, '')}; it is tried again`])
  }

  /** What sources have fetched; undefined without any. */
  get downloads(): Downloads | undefined {
    if (this.#downloads.size === 0) return undefined
    const sum = { done: 0, total: 0, bytes: 0 }
    for (const one of this.#downloads.values()) {
      sum.done += one.done
      sum.total += one.total
      sum.bytes += one.bytes
    }
    return sum
  }

  #noted(note: Note): void {
    this.#printer.object({ ...noteObject(note), run: this.#run })
    if (note.type === 'progress') this.#progressed(note)
    if (note.type !== 'warning') return
    const line = `${note.name}: ${warningText(decode(note.bodyWire))}`
    if (this.#warnings.has(line) || this.#warnings.size >= toldWarnings) return
    this.#warnings.add(line)
    this.#say([`${pc.yellow('!')} ${line}`])
  }

  /** Only sources say how many bytes have come. */
  #progressed({ call, bodyWire }: Note): void {
    const body = decode(bodyWire) as { done?: unknown; total?: unknown; bytes?: unknown } | null
    const { done, total, bytes } = body ?? {}
    if (call === undefined || typeof done !== 'number') return
    if (typeof total !== 'number' || typeof bytes !== 'number') return
    this.#downloads.set(call, { done, total, bytes })
  }

  #asked(ask: AskRecord): void {
    this.#printer.object({ ...askObject(ask), run: this.#run })
    this.#asks.set(ask.call, ask)
    this.#askTimer ??= setTimeout(() => this.#tellAsks(), askMs)
  }

  #triggered({ id, workflow, name, triggeredBy }: RunRecord): void {
    const by = triggeredBy?.run
    this.#printer.object({ kind: 'triggered', id, workflow, name: name ?? null, by })
    this.#sayOfTriggered(`${pc.cyan('→')} triggered ${workflow} ${pc.bold(id)}${named(name)}`)
  }

  #triggeredEnded({ id, workflow, name }: RunRecord, { result, error }: TriggeredEnd): void {
    const why = result === undefined ? recordOf(error) : result.error
    const state = result?.state ?? 'interrupted'
    this.#printer.object({ kind: 'triggered-ended', id, workflow, state, error: why ?? null })
    const mark = state === 'succeeded' ? pc.green('✓') : state === 'failed' ? pc.red('✗') : pc.yellow('•')
    const text = why === undefined ? '' : `: ${why.message}`
    this.#sayOfTriggered(`${mark} ${workflow} ${pc.bold(id)}${named(name)} ${state}${text}`)
  }

  #sayOfTriggered(line: string): void {
    this.#toldTriggered++
    if (this.#toldTriggered <= toldTriggered) this.#say([line])
    else if (this.#toldTriggered === toldTriggered + 1)
      this.#say([pc.dim(`  and more that are triggered: ${nextCommand('runs')}`)])
  }

  #tellAsks(): void {
    this.#askTimer = undefined
    for (const ask of this.#asks.values())
      this.#say([
        `${pc.magenta('?')} ${pendingText(ask)}`,
        pc.dim(`  ${pendingCommand({ ...ask, run: this.#run ?? '' })}`),
      ])
    this.#asks.clear()
  }
}

/** What executors warn of has its figures beside the text. */
function warningText(body: Value): string {
  if (typeof body === 'string') return body
  const { text } = (body ?? {}) as { readonly text?: unknown }
  return typeof text === 'string' ? text : valueText(body, 500)
}

/** Arguments as they are known; a field that is not there is what failed. */
function inputOf(input: Failed[4]): string {
  try {
    return input === undefined ? '' : inputText(input(), 200)
  } catch (error) {
    if (isAlmanacError(error)) return ''
    throw error
  }
}

const named = (name: string | undefined): string => (name === undefined ? '' : ` ${pc.dim(shownName(name))}`)

/** Why this process cannot go on with a run. */
const recordOf = (error: unknown): Pick<ErrorRecord, 'code' | 'message'> =>
  isAlmanacError(error) ? error : { code: 'ALM_BUG', message: String(error) }
