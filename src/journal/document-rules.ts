import type { DocumentVersion } from '../model/document.ts'
import { documentText } from '../model/document.ts'
import { AlmanacError } from '../model/errors.ts'
import type { DocumentWrite } from '../ports/documents.ts'
import { type VersionState, versionThere } from './version-rules.ts'

/** The version that is there already and stands for the new one, or undefined where it is to be added. @throws ALM_CONTEXT_MOVED */
export const documentThere = (
  write: DocumentWrite,
  state: VersionState<DocumentVersion>,
): DocumentVersion | undefined =>
  versionThere(state, {
    seen: write.seen,
    isSame: ({ json }) => json === write.json,
    moved: (moved) => new AlmanacError('ALM_CONTEXT_MOVED', { document: documentText(write), ...moved }),
  })
