/** Has an object no fields? Without a list of them, as it is asked for each of very many. */
export function isEmpty(fields: object): boolean {
  for (const name in fields) if (Object.hasOwn(fields, name)) return false
  return true
}
