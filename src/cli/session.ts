import { existsSync } from 'node:fs'
import { AlmanacError } from '../model/errors.ts'
import type { Workbench, WorkbenchOptions } from '../workbench.ts'
import { keepOutputOwn } from './output/own-output.ts'
import { openPrinter, type Printer, printError } from './output/printer.ts'

/** Flags that every command has. */
export interface CommonFlags {
  readonly json?: boolean
  readonly debug?: boolean
  readonly project?: string
}

/** A file that the command is about: where no project is named, its project counts. */
export interface Near {
  readonly near?: string
}

/** Flags of commands that execute. */
export interface ExecuteFlags extends CommonFlags {
  readonly parallel?: string
  readonly memory?: string
  readonly cache?: boolean
  readonly refresh?: boolean
  readonly failFast?: boolean
  readonly dryRun?: boolean
  readonly inline?: boolean
  readonly debugPython?: string | boolean
  readonly env?: string
  /** the process of the program that started it */
  readonly beside?: string
}

/** Runs a command on an open Almanac, says what goes wrong, and sets the exit code. */
export async function withAlmanac(
  flags: ExecuteFlags & Near,
  command: (almanac: Workbench, printer: Printer) => Promise<number>,
): Promise<void> {
  return withOpen(flags, {}, command)
}

/** The same for a command that only reads: where there is no Almanac yet, it makes none. `refused`: says what went wrong. */
export async function withReadAlmanac(
  flags: CommonFlags & Near,
  command: (almanac: Workbench, printer: Printer) => Promise<number>,
  refused: (error: unknown, printer: Printer) => number = printError,
): Promise<void> {
  return withOpen(flags, { reads: true }, command, refused)
}

/** A command that frees space: it begins where there is none, too. Where there is no Almanac yet, it makes none. */
export async function withFreeingAlmanac(
  flags: CommonFlags,
  command: (almanac: Workbench, printer: Printer) => Promise<number>,
): Promise<void> {
  return withOpen(flags, { reads: true, frees: true }, command)
}

async function withOpen(
  flags: ExecuteFlags & Near,
  more: Pick<WorkbenchOptions, 'reads' | 'frees'>,
  command: (almanac: Workbench, printer: Printer) => Promise<number>,
  refused: (error: unknown, printer: Printer) => number = printError,
): Promise<void> {
  const beside = flags.beside !== undefined
  const printer = openPrinter({ json: flags.json === true, debug: flags.debug === true, beside })
  const release = printer.json ? keepOutputOwn() : undefined
  try {
    const { openAlmanac } = await import('../main.ts')
    const almanac = await openAlmanac({ ...openOptions(flags, printer), ...more })
    try {
      process.exitCode = await command(almanac, printer)
    } finally {
      await almanac.close()
    }
  } catch (error) {
    process.exitCode = refused(error, printer)
  } finally {
    printer.end()
    release?.()
  }
}

function openOptions(flags: ExecuteFlags & Near, printer: Printer): WorkbenchOptions {
  const debug = flags.debugPython === undefined || flags.debugPython === false ? undefined : flags.debugPython
  if (debug !== undefined && debug !== true && debug !== 'pdb' && debug !== 'debugpy') {
    throw new AlmanacError('ALM_USAGE', { why: `--debug-python ${debug}: it is pdb or debugpy` })
  }
  if (flags.project !== undefined && !existsSync(flags.project))
    throw new AlmanacError('ALM_USAGE', { why: `--project ${flags.project}: there is no such directory` })
  return {
    ...(flags.project !== undefined && { project: flags.project }),
    ...(flags.near !== undefined && { near: flags.near }),
    ...(flags.parallel !== undefined && { parallel: count('--parallel', flags.parallel) }),
    ...(flags.memory !== undefined && { memory: flags.memory }),
    ...(flags.env !== undefined && { environment: flags.env }),
    ...(flags.inline === true && { inline: true }),
    ...(debug !== undefined && { python: { debug: debug === 'debugpy' ? 'debugpy' : 'pdb' } }),
    onMessage: (text: string) => printer.aside(text),
  }
}

/** A whole number from 1. @throws ALM_USAGE */
export function count(flag: string, text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new AlmanacError('ALM_USAGE', { why: `${flag} ${text}: it is a whole number from 1` })
  return number
}

export const cacheMode = (flags: ExecuteFlags): 'on' | 'off' | 'refresh' =>
  flags.cache === false ? 'off' : flags.refresh === true ? 'refresh' : 'on'
