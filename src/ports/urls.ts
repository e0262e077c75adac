import type { UrlObject, UrlRef } from '../model/refs.ts'

/** What a reference is to be made of: an object of a bucket, or a URL with whatever lets one in. */
export type UrlRequest =
  | { readonly object: UrlObject; readonly version?: string }
  | { readonly url: string; readonly immutable?: boolean }

/**
 * Files that stay with the servers that keep them.
 *
 * U1 what is opened is what the reference stands for, or is found out by `verify`: by the version, or by its `ETag`.
 * U2 nothing that lets one in is in a reference or an error.
 */
export interface Urls {
  /** Asks what is there now. @throws ALM_SOURCE_MISSING, ALM_SOURCE_DENIED, ALM_SOURCE_REFUSED, ALM_SOURCE_FAILED */
  look(request: UrlRequest, signal: AbortSignal): Promise<UrlRef>
  /** The URL to read it at. `full`: of a place that is a URL, with what lets one in. @throws ALM_TOOL_MISSING, ALM_SOURCE_FAILED */
  open(ref: UrlRef, full?: string): Promise<OpenUrl>
  /** Is it there as it was? @throws ALM_INPUT_URL_CHANGED, ALM_SOURCE_DENIED, ALM_SOURCE_FAILED */
  verify(ref: UrlRef, full?: string): Promise<void>
  close(): Promise<void>
}

export interface OpenUrl {
  readonly url: string
  /** texts that let one in: to be kept out of all that is written */
  readonly secrets: readonly string[]
}
