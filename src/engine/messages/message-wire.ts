import { toArgs } from '../../flow/arguments.ts'
import { encode } from '../../model/codec.ts'
import { AlmanacError } from '../../model/errors.ts'
import { HeldRef } from '../../model/refs.ts'
import { eachRef } from '../../model/value-refs.ts'

/** Bytes that a message may have, as JSON. */
const mostBytes = 2 ** 20

/** A message as it is kept. @throws ALM_VALUE_REFUSED */
export function messageWire(value: unknown): string {
  const plain = toArgs(value)
  eachRef(plain, (ref) => {
    if (ref instanceof HeldRef) refuse('an array lives in the memory of a worker: leave it in a file')
  })
  const wire = encode(plain)
  const bytes = Buffer.byteLength(wire)
  if (bytes <= mostBytes) return wire
  return refuse(`it has ${bytes} bytes, and a message has at most ${mostBytes}: leave it in a file`)
}

function refuse(why: string): never {
  throw new AlmanacError('ALM_VALUE_REFUSED', { path: 'the message', why })
}
