import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** How environments are made and where they lie. */
export interface EnvironmentOptions {
  /** the user's cache directory unless told */
  readonly cacheDir?: string
  /** what is said while one is made, line by line */
  readonly onProgress?: (line: string) => void
  readonly signal?: AbortSignal
  /** what may be used to make one, in this order: uv, the interpreter's pip, ensurepip's, the index's; all unless told */
  readonly means?: readonly ('uv' | 'pip' | 'venv' | 'index')[]
}

/** Almanac's part of the user's cache directory. */
export function cacheDirectory(): string {
  const xdg = process.env['XDG_CACHE_HOME']
  // the specification says that relative paths are to be ignored
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'almanac')
}
