import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { AlmanacError } from '../../model/errors.ts'
import { patiently } from './database/database.ts'
import { journalFailure } from './database/failures.ts'
import type {
  BatchEnd,
  Failure,
  FromWriter,
  Reply,
  ToWriter,
  WriterMethods,
  WriterRequest,
} from './messages.ts'
import { Session } from './session.ts'

/**
 * The thread that holds the database. Whatever waits when it looks is committed as one.
 *
 * T1 batches are committed in the order they came, before any request that waits with them is answered.
 * T2 every batch and every request gets one answer, a batch when it is on disk.
 */

const port = parentPort
if (port === null) throw new AlmanacError('ALM_BUG', { why: 'the journal was not started as a thread' })

/** batches that it is through with, kept or not */
const through = workerData as Int32Array
let session: Session | undefined
let path = 'journal.db'

port.on('message', (first: ToWriter) => {
  const messages = [first]
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    messages.push(next.message as ToWriter)
  }
  commit(messages.flatMap(({ batch }) => batch ?? []))
  for (const request of messages.flatMap(({ requests }) => requests ?? [])) answer(request)
})

function commit(waiting: readonly NonNullable<ToWriter['batch']>[]): void {
  if (waiting.length === 0) return
  const failures = opened().append(waiting)
  const batches = waiting.map(({ id }, i): BatchEnd => {
    const failed = [...(failures[i] ?? [])]
    return { id, failures: failed.map(([run, error]) => [run, failureOf(error)] as const) }
  })
  Atomics.add(through, 0, waiting.length)
  Atomics.notify(through, 0)
  send({ batches })
}

function answer({ id, method, args }: WriterRequest): void {
  send({ replies: [replyTo(id, method, args)] })
  // nothing is left to wait for, so the thread ends
  if (method === 'close') port?.close()
}

function replyTo(id: number, method: keyof WriterMethods, args: readonly unknown[]): Reply {
  try {
    return { id, value: patiently(() => perform(method, args)) }
  } catch (error) {
    return { id, failure: failureOf(journalFailure(error, path)) }
  }
}

function perform(method: keyof WriterMethods, args: readonly unknown[]): unknown {
  if (method === 'open') {
    const [home, options] = args as Parameters<WriterMethods['open']>
    path = `${home}/journal.db`
    session = new Session(home, options)
    return undefined
  }
  return (opened().methods[method] as (...values: readonly unknown[]) => unknown)(...args)
}

function opened(): Session {
  if (session === undefined) throw new AlmanacError('ALM_BUG', { why: 'the journal is not open' })
  return session
}

const failureOf = ({ code, details, stack }: AlmanacError): Failure => ({ code, details, stack })

function send(message: FromWriter): void {
  port?.postMessage(message)
}
