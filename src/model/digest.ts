/** SHA-256 of a text's UTF-8 bytes, lower-case hexadecimal. Given to the pure core by its shell. */
export type Hash = (text: string) => string

/** What the digest of is wanted, of both texts as one: many begin alike. */
export interface DigestOf {
  readonly start: string
  readonly rest: string
}
