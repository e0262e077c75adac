/** One file, known to workers by name. */
export interface SharedFile {
  readonly name: string
  readonly capacity: number
  readonly path: string
  /** where it is when there is no room at `path` */
  readonly spare: string
}
