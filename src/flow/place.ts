import type { SourcePlace } from '../model/task.ts'

/**
 * Where the author's code called: the first frame outside this copy of Almanac. Definitions know by it where they
 * stand. Frames are `at name (file:///path/steps.ts:3:14)` or `at file:///path/steps.ts:3:14`.
 */
export function callerPlace(): SourcePlace | undefined {
  const stack = new Error().stack ?? ''
  for (const line of stack.split('\n').slice(1)) {
    const match = /(?:\(|at |async )((?:file:\/\/)?\/[^()]*?):(\d+):(\d+)\)?$/.exec(line)
    if (match === null) continue
    const file = decodeURI((match[1] as string).replace(/^file:\/\//, '')).replace(/\?.*$/, '')
    if (!isOwn(file)) return { file, line: Number(match[2]), column: Number(match[3]) }
  }
  return undefined
}

/** The first frame of any stack made here is this very file: its folder is ours. */
const own = /((?:file:\/\/)?\/[^()]*?):\d+:\d+\)?$/m.exec((new Error().stack ?? '').split('\n')[1] ?? '')?.[1]
const ownFolder = own === undefined ? undefined : decodeURI(own.replace(/^file:\/\//, '')).replace(/[^/]*$/, '')

const isOwn = (file: string): boolean => ownFolder !== undefined && file.startsWith(ownFolder) && !file.endsWith('.test.ts')
