import type { SourcePlace } from '../model/task.ts'
import { framePlace, isOwnFile } from '../util/own-frames.ts'

/** Where the author's code called: the first frame outside Almanac. Definitions know by it where they stand. */
export function callerPlace(): SourcePlace | undefined {
  for (const frame of (new Error().stack ?? '').split('\n').slice(1)) {
    const place = framePlace(frame)
    if (place !== undefined && !isOwnFile(place.file)) return place
  }
  return undefined
}
