import { existsSync, realpathSync } from 'node:fs'
import { relative, resolve } from 'node:path'

/** A workflow's file as runs of a project have it, whatever links it is named by. */
export function fileOfRuns(project: string, file: string): string {
  const path = resolve(file)
  return relative(project, existsSync(path) ? realpathSync(path) : path)
}

/** Paths as they look from where the command was typed. */
export function relativePath(path: string): string {
  const here = `${process.cwd()}/`
  return path.startsWith(here) ? path.slice(here.length) : path
}
