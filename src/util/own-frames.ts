/** A place in source code, as a stack names it: `at name (file:///a/b.ts:3:14)` or `at /a/b.ts:3:14`. */
export interface FramePlace {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** The place that a line of a stack names; undefined for lines that name none, or a place inside Node. */
export function framePlace(line: string): FramePlace | undefined {
  const match = /(?:\(|at |async )((?:file:\/\/)?\/[^()]*?):(\d+):(\d+)\)?$/.exec(line)
  if (match === null) return undefined
  const file = decodeURI((match[1] as string).replace(/^file:\/\//, '')).replace(/\?.*$/, '')
  return { file, line: Number(match[2]), column: Number(match[3]) }
}

/**
 * The folder of Almanac's own code, to tell its frames from an author's: `src/` from the sources, the folder of the
 * bundle where it was built. The first frame of an error made here is this very file.
 */
const here = framePlace((new Error().stack ?? '').split('\n')[1] ?? '')?.file ?? '/'
const ownFolder = here.replace(/(?:util\/)?[^/]*$/, '')

/** Does the file belong to Almanac? Its own tests do not count: they play the author. */
export const isOwnFile = (file: string): boolean => file.startsWith(ownFolder) && !/\.test\.ts$/.test(file)
