/** Has an object no fields? Without a list of them, as it is asked for each of very many. */
export function isEmpty(fields: object): boolean {
  for (const _ in fields) return false
  return true
}
