/** Does it have numbers that JSON does not have: NaN, the infinities, large integers? */
export function hasOtherNumbers(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value)
  if (typeof value === 'bigint') return true
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  return Object.values(value).some(hasOtherNumbers)
}
