import { createHmac, randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AlmanacError } from '../model/errors.ts'
import type { Callbacks } from '../ports/callbacks.ts'
import type { CallbackPlace } from './callback-place.ts'

const secretBytes = 32

/**
 * Tokens of callbacks, by a secret beside the journal.
 *
 * T1 a token is a MAC of 256 bits of run and call: the same in each life of the run, and of no other call.
 * T2 the secret is made once, whoever is first, and is readable by its owner alone.
 */
export function callbackTokens(path: string, { url }: CallbackPlace): Callbacks {
  let secret: Promise<Buffer> | undefined
  return {
    async token(run, call) {
      secret ??= secretAt(path)
      return createHmac('sha256', await secret)
        .update(JSON.stringify(['callback', run, call]))
        .digest('base64url')
    },
    url: (token) => `${url}/callbacks/${token}`,
  }
}

async function secretAt(path: string): Promise<Buffer> {
  const secret = (await read(path)) ?? (await make(path))
  if (secret.length === secretBytes) return secret
  throw new AlmanacError('ALM_CALLBACK_SECRET', { path, why: `it has ${secret.length} bytes` })
}

async function make(path: string): Promise<Buffer> {
  const own = `${path}.${randomBytes(6).toString('hex')}`
  await mkdir(dirname(path), { recursive: true })
  const file = await open(own, 'wx', 0o600)
  try {
    await file.writeFile(randomBytes(secretBytes))
    await file.sync()
    // whole, or not there; of two at once the first one's counts
    await link(own, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } finally {
    await file.close()
    await rm(own, { force: true })
  }
  return readFile(path)
}

async function read(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
