/** Sets a field of an object's own: `__proto__` as well, by which an assignment would set the prototype. */
export function setOwnField<T>(fields: Record<string, T>, name: string, value: T): void {
  if (name === '__proto__')
    Object.defineProperty(fields, name, { value, enumerable: true, writable: true, configurable: true })
  else fields[name] = value
}
