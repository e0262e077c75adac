/** SHA-256 of a text's UTF-8 bytes, lower-case hexadecimal. Given to the pure core by its shell. */
export type Hash = (text: string) => string
