import pc from 'picocolors'
import type { ErrorRecord } from '../../model/records.ts'
import { framePlace, isOwnFile } from '../../util/own-frames.ts'
import { relativePath } from './paths.ts'

/** Lines of a stack that are shown: what is left out is in the middle. */
const stackHead = 5
const stackTail = 15
/** of what a program printed before it failed */
const lastWords = 20

export interface FailureContext {
  /** the task, with the entry of the map that it is of */
  readonly task: string
  /** what it was given, shortened */
  readonly input?: string
  readonly debug: boolean
}

/** A failure as people want to see it: the task, the author's file and line, the message, the input. */
export function failureLines(error: ErrorRecord, { task, input, debug }: FailureContext): string[] {
  const where = error.file === undefined ? '' : ` ${pc.cyan(placeText(error))}`
  const lines = [`${pc.red('✗')} ${pc.bold(task)}${where}`, `  ${messageText(error)}`]
  if (input !== undefined && input !== '') lines.push(`  ${pc.dim('input')} ${input}`)
  for (const line of stackLines(error, debug)) lines.push(pc.dim(`    ${line}`))
  return lines
}

/** `file:line` from where the command was typed. */
export const placeText = ({ file = '', line }: ErrorRecord): string =>
  `${relativePath(file)}${line === undefined ? '' : `:${line}`}`

/** The message, with the type where an author's own code threw it. */
export const messageText = ({ code, type, message }: ErrorRecord): string =>
  type !== undefined && authors.includes(code) ? `${type}: ${message}` : message

const authors: readonly string[] = ['ALM_TASK_FAILED', 'ALM_WORKFLOW_FAILED']

/** What the stack says besides message and place. */
function stackLines(error: ErrorRecord, debug: boolean): string[] {
  const { stack, type, message } = error
  if (stack === undefined) return []
  if (debug) return stack.split('\n')
  // what a program said last is not ours to leave out of
  if (error.code === 'ALM_TASK_EXIT' || error.code === 'ALM_TASK_SIGNAL')
    return stack.split('\n').slice(-lastWords)
  if (!authors.includes(error.code)) return []
  const told = `${type ?? 'Error'}: ${message}`
  const rest = stack.startsWith(told) ? stack.slice(told.length).replace(/^\n/, '') : stack
  const lines = rest
    .split('\n')
    .filter((line) => line.trim() !== '' && !isOwnFrame(line))
    .map((line) => line.replaceAll(`${process.cwd()}/`, ''))
  const [only] = lines
  // it says nothing that the first line does not
  if (lines.length === 1 && only?.includes(placeText(error)) === true && /^ +at /.test(only)) return []
  if (lines.length <= stackHead + stackTail) return lines
  return [...lines.slice(0, stackHead), '…', ...lines.slice(-stackTail)]
}

/** A frame of Node or of Almanac itself. */
function isOwnFrame(line: string): boolean {
  if (!/^ +at /.test(line)) return false
  const place = framePlace(line)
  return place === undefined ? /node:|<anonymous>\)?$/.test(line) : isOwnFile(place.file)
}
