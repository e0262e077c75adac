import { FileRef } from '../../model/refs.ts'
import type { DataPlane } from '../../ports/data.ts'
import type { AttemptNote } from '../../ports/executor.ts'
import { recordOf } from '../calls/failure.ts'

/** of one image; larger ones are for outputs */
const mostBytes = 64 << 20

/** The path of an image that a task shows, and that is its own: gone, or another one, soon after. */
export function imagePath({ type, body }: AttemptNote): string | undefined {
  if (type !== 'artifact') return undefined
  const { kind, path } = body as { readonly kind?: unknown; readonly path?: unknown }
  return kind === 'image' && typeof path === 'string' ? path : undefined
}

/** The note with the image as it is now, in the store; where it cannot be had, as it was, and why. Never rejects. */
export async function withImage(
  note: AttemptNote,
  path: string,
  data: Pick<DataPlane, 'scan' | 'readFile' | 'writeFile'>,
): Promise<readonly AttemptNote[]> {
  try {
    const found = await data.scan(path)
    if (!(found instanceof FileRef)) return [note, warning(note, `${path} is a directory`)]
    if (found.size > mostBytes)
      return [
        note,
        warning(note, `${path} has more than ${mostBytes >> 20} MiB; show a file that the task leaves`),
      ]
    const kept = await data.writeFile(found.name, await data.readFile(found))
    return [{ ...note, body: { ...(note.body as object), path: kept } }]
  } catch (error) {
    return [note, warning(note, recordOf(error).message)]
  }
}

const warning = ({ name }: AttemptNote, why: string): AttemptNote => ({
  type: 'warning',
  name,
  body: `the image is not kept: ${why}`,
})
