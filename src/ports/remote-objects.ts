/** Objects of others' buckets, to be read. */
export interface RemoteObjects {
  /** Those under a prefix, `path` being the key without the prefix's folder; globs are of paths. @throws ALM_SOURCE_DENIED, ALM_SOURCE_MISSING, ALM_SOURCE_FAILED */
  list(options: {
    readonly prefix: string
    readonly include?: readonly string[]
    readonly exclude?: readonly string[]
    readonly signal: AbortSignal
  }): AsyncIterable<RemoteObject>
  /** One object, as an HTTP server would answer: no status is thrown. */
  get(key: string, conditions: ObjectConditions, signal: AbortSignal): Promise<ObjectAnswer>
  /** What is known of an object, or of one version of it: no status is thrown. */
  head(key: string, version: string | undefined, signal: AbortSignal): Promise<ObjectHead>
  /** The URL of an object, or of one version of it: signed where the bucket is not open to everybody. @throws ALM_TOOL_MISSING, ALM_SOURCE_FAILED */
  urlOf(key: string, version: string | undefined, lastsSeconds: number): Promise<string>
  close(): void
}

/** What a store says of an object. */
export interface ObjectHead {
  readonly status: number
  readonly size?: number
  readonly etag?: string
  /** undefined where the bucket keeps no versions */
  readonly version?: string
}

/** An object as it is listed. */
export interface RemoteObject {
  readonly key: string
  readonly path: string
  readonly size: number
  readonly etag: string
}

/** What is asked for: all of it, or from a byte on, of one version or unless it is that. */
export interface ObjectConditions {
  readonly from?: number
  readonly ifMatch?: string
  readonly ifNoneMatch?: string
}

export interface ObjectAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array>
  /** Reads no more of it. */
  drop(): void
}

/** A bucket, and how it is spoken to. */
export interface BucketPlace {
  readonly bucket: string
  readonly endpoint?: string
  readonly region?: string
  /** the bucket's name in the path, not in the host's name */
  readonly pathStyle?: boolean
  /** requests are not signed: what everybody may read */
  readonly anonymous?: boolean
}
