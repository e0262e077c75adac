import pc from 'picocolors'
import { isAlmanacError } from '../../model/errors.ts'
import { helpHint } from './help-hint.ts'
import { hintText, withHints } from './hint-text.ts'
import { writeOwn } from './own-output.ts'
import { printable } from './printable.ts'
import { systemFailure } from './system-failure.ts'

/** How a command speaks. */
export interface Printer {
  readonly json: boolean
  readonly debug: boolean
  /** for the program that started it, which raises what it is told */
  readonly beside?: boolean
  /** One object of a `--json` answer, on a line of its own. */
  object(value: object): void
  /** The object that a `--json` answer ends with, whatever else is said until `end`. */
  last(value: object): void
  end(): void
  /** A line for people, on standard output. Silent with `--json`. */
  line(text?: string): void
  /** A line for people beside the output, on standard error. */
  aside(text: string): void
}

export const exitCodes = { done: 0, failed: 1, usage: 2, cancelled: 3, waiting: 4 } as const

export function openPrinter(options: Pick<Printer, 'json' | 'debug' | 'beside'>): Printer {
  const { json, debug, beside = false } = options
  let last: object | undefined
  const object = (value: object): void => {
    if (json) writeOwn(`${JSON.stringify(withHints(value))}\n`)
  }
  return {
    json,
    debug,
    beside,
    object,
    last: (value) => {
      last = value
    },
    end: () => {
      if (last !== undefined) object(last)
      last = undefined
    },
    line: (text = '') => {
      if (!json) writeOwn(`${printable(text)}\n`)
    },
    aside: (text) => {
      process.stderr.write(`${printable(text)}\n`)
    },
  }
}

/** Errors of use, as opposed to failures of a run. */
const usageCodes: readonly string[] = [
  'ALM_USAGE',
  'ALM_INPUT_INVALID',
  'ALM_CONFIG',
  'ALM_RUN_UNKNOWN',
  'ALM_RUN_ENDED',
  'ALM_RUN_OVER',
  'ALM_CALL_UNKNOWN',
  'ALM_DATA_UNKNOWN',
  'ALM_ASK_CLOSED',
  'ALM_SCHEMA',
  'ALM_CONTEXT_NAME',
  'ALM_TARGET_EXISTS',
  'ALM_NO_WORKFLOW',
  'ALM_NODE_OLD',
]

/** Says what went wrong; gives the exit code. */
export function printError(thrown: unknown, printer: Printer): number {
  const error = systemFailure(thrown) ?? thrown
  if (!isAlmanacError(error)) {
    const stack = error instanceof Error ? error.stack : String(error)
    printer.object({ kind: 'error', code: 'ALM_BUG', message: String(error) })
    printer.aside(`${pc.red('Almanac itself failed.')} Please report this.\n${stack}`)
    return exitCodes.failed
  }
  const { code, message } = error
  const hint = code === 'ALM_USAGE' ? helpHint() : (error.record?.hint ?? error.hint)
  printer.object({ kind: 'error', code, message, hint, details: error.details })
  if (printer.beside !== true) {
    printer.aside(`${pc.red('error')} ${message} ${pc.dim(`[${code}]`)}`)
    printer.aside(pc.dim(`      ${hintText(hint)}`))
  }
  if (printer.debug && error.stack !== undefined) printer.aside(error.stack)
  return usageCodes.includes(code) ? exitCodes.usage : exitCodes.failed
}
