import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'

export type FoundProgram =
  | { readonly path: string }
  /** there is none that can be run, and why */
  | { readonly missing: string }

/**
 * What a name stands for, as a shell would find it: on `path`, or, where it holds a slash, from `cwd`. It is found
 * beforehand so that a program that is missing is told from one that ends with 127 itself.
 */
export function findProgram(name: string, cwd: string, path: string): FoundProgram {
  if (name === '') return { missing: 'its name is empty' }
  const candidates = name.includes('/')
    ? [resolve(cwd, name)]
    : path.split(delimiter).map((folder) => resolve(cwd, folder, name))
  let why = name.includes('/') ? 'there is no such file' : 'it is not on PATH'
  for (const candidate of candidates) {
    const refused = whyNot(candidate)
    if (refused === undefined) return { path: candidate }
    if (refused !== 'absent') why = refused
  }
  return { missing: why }
}

function whyNot(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return `${path} is no file`
    accessSync(path, constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EACCES' ? `${path} is not executable` : 'absent'
  }
  return missingInterpreter(path)
}

/** `#!/usr/bin/nothing`: the kernel would say that the script itself is missing. */
function missingInterpreter(path: string): string | undefined {
  const interpreter = /^#![ \t]*([^\s]+)/.exec(firstBytes(path))?.[1]
  if (interpreter === undefined) return undefined
  try {
    accessSync(interpreter, constants.X_OK)
    return undefined
  } catch {
    return `${path} asks for ${interpreter}, which is not there`
  }
}

function firstBytes(path: string): string {
  try {
    const fd = openSync(path, 'r')
    try {
      const start = Buffer.alloc(256)
      return start.toString('latin1', 0, readSync(fd, start, 0, start.length, 0))
    } finally {
      closeSync(fd)
    }
  } catch {
    // executable, not readable: the kernel reads it
    return ''
  }
}
