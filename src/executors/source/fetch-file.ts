import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import type { Begun, Checksum, Kept, Part } from '../../ports/downloads.ts'
import { checksumAlgorithms } from '../../ports/downloads.ts'
import type { Answer } from './client.ts'
import { begunBy, conditionsFor, rangeFault } from './conditions.ts'
import { finalError, refusal } from './refusals.ts'
import type { FileRequest, Manner } from './request.ts'
import { headerOf } from './response-checksums.ts'
import { sendRequest } from './send-request.ts'
import { sidecar } from './sidecar.ts'
import type { FetchTools } from './tools.ts'
import { isTransient, NotNow } from './transient.ts'

export interface Fetched {
  readonly digest: Digest
  readonly size: number
  /** it was there already, and is as it was */
  readonly unchanged: boolean
}

/**
 * Fetches one file into the store; undefined where the server says that there is none, and that is allowed.
 *
 * F1 what is returned is one version of the file: bytes of two versions are never put together.
 * F2 a promise of the server or the author that the bytes break fails it, and the bytes are forgotten.
 */
export async function fetchFile(
  tools: FetchTools,
  request: FileRequest,
  manner: Manner,
): Promise<Fetched | undefined> {
  const { downloads, clock } = tools
  const known = await downloads.known(request.name)
  const { expected, sidecar: beside } = request
  const agrees =
    known !== undefined && (expected === undefined || (await agreesWith(tools, request, known, expected)))
  const isSettled = manner.immutable && (beside === undefined || known?.checked !== undefined)
  if (agrees && (isSettled || expected?.algorithm === 'sha256' || isListed(known, request)))
    return { digest: known.digest, size: known.size, unchanged: true }
  for (let failures = 0; ; failures++) {
    try {
      return await fetchOnce(tools, request, manner, agrees ? known : undefined)
    } catch (error) {
      tools.signal.throwIfAborted()
      if (!isTransient(error)) throw error
      if (failures >= manner.retries.count) throw finalError(error, request.name)
      const { count: _, delayMs, maxDelayMs } = manner.retries
      const backoff = Math.min(maxDelayMs, delayMs * 2 ** failures) * (0.5 + tools.chance() / 2)
      const asked = error instanceof NotNow ? error.after : undefined
      if (asked !== undefined && asked > 3600_000) throw finalError(error, request.name)
      if (asked !== undefined) tools.throttles.of(request.url.host).pauseUntil(clock.now() + asked)
      await pause(tools, Math.max(asked ?? 0, backoff))
    }
  }
}

async function fetchOnce(
  tools: FetchTools,
  request: FileRequest,
  manner: Manner,
  known: Kept | undefined,
): Promise<Fetched | undefined> {
  const leave = await tools.throttles.of(request.url.host).enter(manner.rate, tools.signal)
  try {
    const part = await tools.downloads.part(request.name)
    try {
      return await converse(tools, request, manner, known, part)
    } finally {
      await part.leave()
    }
  } finally {
    leave()
  }
}

async function converse(
  tools: FetchTools,
  request: FileRequest,
  manner: Manner,
  known: Kept | undefined,
  part: Part,
): Promise<Fetched | undefined> {
  const { conditions, complete } = conditionsFor(part, known)
  const answer = await sendRequest(tools, manner, request.url, conditions)
  const { status, headers } = answer
  if (status === 304) {
    answer.drop()
    if (complete) return await finish(tools, request, manner, part)
    if (known !== undefined) {
      const author = request.expected ?? (await sidecar(tools, request, manner))
      if (author === undefined || (await agreesWith(tools, request, known, author)))
        return { digest: known.digest, size: known.size, unchanged: true }
      // whether what is there now does, its bytes tell
      return await converse(tools, request, manner, undefined, part)
    }
    throw new NotNow('it said that nothing has changed, and was not asked')
  }
  if (status === 206) {
    const why =
      'range' in conditions ? rangeFault(part, headers) : 'it sent a part, and was asked for the whole'
    if (why !== undefined) {
      answer.drop()
      await part.discard()
      throw new NotNow(why)
    }
  } else if (status === 200) await begin(answer, request, manner, part)
  else {
    answer.drop()
    if (status === 416) await part.discard()
    if ((status === 404 || status === 410) && manner.allowMissing) return undefined
    throw refusal(status, headers, request.name, tools.clock)
  }
  await receive(tools, request, manner, part, answer)
  return await finish(tools, request, manner, part)
}

/** @throws ALM_SOURCE_REFUSED where nothing would tell a cut from the end */
async function begin(answer: Answer, request: FileRequest, manner: Manner, part: Part): Promise<void> {
  const { headers } = answer
  const begun = begunBy(headers, request.url)
  const checked = request.expected ?? request.sidecar ?? Object.keys(begun.promised ?? {})[0]
  const endKnown = begun.total !== undefined || headerOf(headers, 'transfer-encoding') !== undefined
  if (!endKnown && checked === undefined && !manner.unsized) {
    answer.drop()
    const why = 'the server does not say how long it is, nor when it ends; give sha256, or say unsized: true'
    throw new AlmanacError('ALM_SOURCE_REFUSED', { url: request.name, why })
  }
  await part.begin(begun)
}

async function receive(
  tools: FetchTools,
  request: FileRequest,
  manner: Manner,
  part: Part,
  answer: Answer,
): Promise<void> {
  const total = part.begun?.total
  const tooMuch = (): AlmanacError =>
    new AlmanacError('ALM_SOURCE_REFUSED', {
      url: request.name,
      why: `it has more than ${manner.maxBytes} bytes`,
    })
  if ((total ?? 0) > manner.maxBytes) {
    answer.drop()
    await part.discard()
    throw tooMuch()
  }
  for await (const bytes of answer.body) {
    if (part.size + bytes.length > manner.maxBytes) {
      answer.drop()
      await part.discard()
      throw tooMuch()
    }
    await part.write(bytes)
    tools.received(bytes.length)
  }
  if (total !== undefined && part.size < total) throw new NotNow(`it sent ${part.size} of ${total} bytes`)
  if ((total === undefined || part.size === total) && !(await answer.saidMore())) return
  const { size } = part
  await part.discard()
  throw new NotNow(`it sent more than the ${total ?? size} bytes that it announced`)
}

async function finish(tools: FetchTools, request: FileRequest, manner: Manner, part: Part): Promise<Fetched> {
  const { etag, lastModified, promised = {} } = part.begun as Begun
  const author = request.expected ?? (await sidecar(tools, request, manner))
  const algorithms = new Set([...Object.keys(promised), ...(author === undefined ? [] : [author.algorithm])])
  const found = await part.checksums(checksumAlgorithms.filter((name) => algorithms.has(name)))
  const broken = [
    ...Object.entries(promised),
    ...(author === undefined ? [] : [[author.algorithm, author.value]]),
  ]
    .map(([algorithm = '', expected]) => ({ algorithm, expected, found: found[algorithm] }))
    .find((one) => one.found !== one.expected)
  if (broken !== undefined) {
    await part.discard()
    throw new AlmanacError('ALM_SOURCE_CHECKSUM', { url: request.name, ...broken })
  }
  const { digest, size } = await keep(part, request, manner)
  const kept = {
    digest,
    size,
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { lastModified }),
    ...(author !== undefined && { checked: author }),
  }
  tools.downloads.remember(request.name, kept)
  return { digest, size, unchanged: false }
}

async function keep(part: Part, { name }: FileRequest, { maxBytes }: Manner) {
  try {
    return await part.keep({ maxBytes })
  } catch (error) {
    if (!isAlmanacError(error) || error.code !== 'ALM_SOURCE_CODING') throw error
    await part.discard()
    throw new AlmanacError('ALM_SOURCE_REFUSED', { url: name, why: error.message })
  }
}

const isListed = ({ etag, size }: Kept, { listed }: FileRequest): boolean =>
  listed !== undefined && listed.etag !== '' && listed.etag === etag && listed.size === size

/** Has what is known the author's checksum, as it came or as it is kept? The answer is kept with it, if it is yes. */
async function agreesWith(
  { downloads }: FetchTools,
  { name }: FileRequest,
  known: Kept,
  author: Checksum,
): Promise<boolean> {
  const { algorithm, value } = author
  if (known.checked?.algorithm === algorithm && known.checked.value === value) return true
  const found = algorithm === 'sha256' ? known.digest : await downloads.checksum(known, algorithm)
  if (found !== value) return false
  downloads.remember(name, { ...known, checked: author })
  return true
}

function pause({ clock, signal }: FetchTools, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      untime()
      reject(signal.reason)
    }
    const untime = clock.at(clock.now() + ms, () => {
      signal.removeEventListener('abort', stop)
      resolve()
    })
    signal.addEventListener('abort', stop, { once: true })
  })
}
