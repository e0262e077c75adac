import type { DocumentVersion } from '../model/document.ts'
import { documentText } from '../model/document.ts'
import { AlmanacError } from '../model/errors.ts'
import type { DocumentWrite } from '../ports/documents.ts'

/** What every journal decides alike about a write. */

/** What there is of a document when it is written. */
export interface DocumentState {
  readonly newest: DocumentVersion | undefined
  /** what an earlier attempt of the same call, with the same fingerprint, wrote */
  readonly own: DocumentVersion | undefined
  /** are all versions newer than the one that was seen of the same run? */
  readonly isOwnSince: boolean
}

/** The version that is there already and stands for the new one, or undefined where it is to be added. @throws ALM_CONTEXT_MOVED */
export function documentThere(write: DocumentWrite, state: DocumentState): DocumentVersion | undefined {
  const { newest, own } = state
  if (own !== undefined) return own
  const seen = write.seen ?? newest?.version ?? 0
  if (seen !== (newest?.version ?? 0) && !state.isOwnSince)
    throw new AlmanacError('ALM_CONTEXT_MOVED', {
      document: documentText(write),
      newest: newest?.version ?? 0,
      maker: newest?.run === undefined ? (newest?.maker ?? 'nobody') : `run ${newest.run}`,
      seen,
    })
  return newest?.json === write.json ? newest : undefined
}
