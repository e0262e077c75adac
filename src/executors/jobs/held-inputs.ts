import { HeldRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'

/** All held values in the inputs, each once. */
export function heldIn(inputs: Readonly<Record<string, Value>>): readonly HeldRef[] {
  // most inputs are scalars
  for (const name in inputs) if (!isScalar(inputs[name])) return heldWithin(inputs)
  return nothingHeld
}

const isScalar = (value: Value): boolean => typeof value !== 'object' || value === null

const nothingHeld: readonly HeldRef[] = []

function heldWithin(inputs: Readonly<Record<string, Value>>): readonly HeldRef[] {
  const found = new Map<number, HeldRef>()
  const look = (value: Value): void => {
    if (value === null || typeof value !== 'object') return
    if (value instanceof HeldRef) found.set(value.handle, value)
    else if (Array.isArray(value)) for (const item of value) look(item)
    else if (isPlain(value)) for (const key of Object.keys(value)) look(value[key])
  }
  look(inputs)
  return [...found.values()]
}

function isPlain(value: object): value is Readonly<Record<string, Value>> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
