import type { DocumentKey, DocumentVersion } from '../model/document.ts'
import type { RunId, Time } from '../model/records.ts'
import type { Digest } from '../model/refs.ts'

/**
 * Documents of runs, workflows and projects (`run.context`), as the journal keeps them.
 *
 * X1 versions of a document are numbered 1, 2, … in the order of their commits.
 * X2 a write says which version it was made upon; if another one came since, not by the same run, it is refused.
 * X3 a version is durable when `write` resolves.
 * X4 what one call of a run writes, known by its fingerprint, is written once, however often it is tried.
 * X5 what is there already makes no version. Of a document's versions the newest `keptVersions` are kept.
 * X6 documents of a run go with it; all others stay.
 */
export interface Documents {
  /** Adds a version, or gives the one that stands for it. @throws ALM_CONTEXT_MOVED */
  write(write: DocumentWrite): Promise<DocumentVersion>
  /** The newest version, or the one of a number; undefined where it is not there. */
  version(key: DocumentKey, version?: number): Promise<DocumentVersion | undefined>
  /** Newest first; `before`: older than that number. */
  versions(
    key: DocumentKey,
    query: { readonly limit: number; readonly before?: number },
  ): Promise<readonly DocumentVersion[]>
  /** Newest versions of an environment's documents, by scope and name; `after` is the last one seen. */
  list(
    environment: string,
    query: { readonly limit: number; readonly after?: Omit<DocumentKey, 'environment'> },
  ): Promise<readonly DocumentVersion[]>
}

/** What becomes a version. */
export interface DocumentWrite extends DocumentKey {
  /** by `documentJson` */
  readonly json: string
  /** the version that its maker saw, 0 where there was none; absent: whatever is the newest now */
  readonly seen?: number
  readonly run?: RunId
  readonly call?: number
  readonly fingerprint?: Digest
  readonly maker: string
  readonly madeAt: Time
}
