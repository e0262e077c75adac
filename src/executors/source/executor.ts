import { errorRecord, isAlmanacError } from '../../model/errors.ts'
import type { SourceSecrets } from '../../model/source.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { Downloads } from '../../ports/downloads.ts'
import type { Attempt, AttemptId, Executor, ExecutorListener } from '../../ports/executor.ts'
import type { BucketPlace, RemoteObjects } from '../../ports/remote-objects.ts'
import type { Urls } from '../../ports/urls.ts'
import type { ExecutorOptions } from '../lifecycle.ts'
import { Attempts } from '../lifecycle.ts'
import type { Driver, LiveAttempt } from '../live-attempt.ts'
import { HttpClient } from './client.ts'
import { fetchAll, fetchObjects } from './fetch-all.ts'
import type { HostThrottles } from './host-throttles.ts'
import { urlRequestOf } from './url-request.ts'

export interface SourceOptions extends ExecutorOptions {
  /** opened when the first source is asked */
  readonly downloads: () => Promise<Downloads>
  /** a bucket of others */
  readonly objects: (place: BucketPlace) => Promise<RemoteObjects>
  /** 0 ≤ x < 1 */
  readonly chance: () => number
  readonly throttles: HostThrottles
  /** asks for files that stay where they are; closed with the executor */
  readonly urls: Pick<Urls, 'look' | 'close'>
}

/** Downloads files from servers into the store. */
export const openSourceExecutor = (options: SourceOptions, listener: ExecutorListener): Executor =>
  new SourceExecutor(options, listener)

type Live = LiveAttempt<AbortController>

const noSecrets: SourceSecrets = { urls: new Map(), headers: {} }

/** Owns the connections. */
class SourceExecutor implements Executor, Driver<AbortController> {
  readonly name = 'source'
  readonly afterCommit = false
  readonly #options: SourceOptions
  readonly #attempts: Attempts<AbortController>
  readonly #client = new HttpClient()

  constructor(options: SourceOptions, listener: ExecutorListener) {
    this.#options = options
    this.#attempts = new Attempts(options, listener, this)
  }

  accepts(task: TaskSpec): boolean {
    return task.body.kind === 'source'
  }

  submit(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) {
      const live = this.#attempts.add(attempt)
      if (live !== undefined) setImmediate(() => void this.#run(live))
    }
  }

  cancel(id: AttemptId, graceMs: number): void {
    this.#attempts.cancel(id, graceMs)
  }

  stop(live: Live, force: boolean): void {
    live.state?.abort()
    if (force || live.state === undefined) live.stopped()
  }

  close(): Promise<void> {
    return this.#attempts.close(async () => {
      await this.#client.close()
      await this.#options.urls.close()
    })
  }

  async #run(live: Live): Promise<void> {
    if (live.ended) return
    const controller = new AbortController()
    live.state = controller
    live.started()
    live.watch()
    try {
      const secrets = (live.attempt.fn as (() => SourceSecrets) | undefined)?.() ?? noSecrets
      const { body } = live.attempt.task
      if (body.kind === 'source' && body.from === 'url') {
        const wanted = urlRequestOf(live.attempt.inputs, secrets)
        return live.succeed({ '': await this.#options.urls.look(wanted, controller.signal) })
      }
      const downloads = await this.#options.downloads()
      const { clock, chance, throttles } = this.#options
      const tools = {
        client: this.#client,
        downloads,
        clock,
        chance,
        throttles,
        signal: controller.signal,
      }
      const fromBucket = body.kind === 'source' && body.from === 's3'
      const dir = fromBucket
        ? await fetchObjects(tools, live, this.#options.objects)
        : await fetchAll(tools, live, secrets)
      live.succeed({ '': dir })
    } catch (error) {
      if (live.verdict === undefined) this.#fail(live, error)
      else live.stopped()
    }
  }

  #fail(live: Live, error: unknown): void {
    if (isAlmanacError(error)) {
      const record = errorRecord(error.code, error.details, { message: error.message, hint: error.hint })
      live.fail('error', record, error.code === 'ALM_SOURCE_FAILED' || error.code === 'ALM_STORE_FAILED')
    } else live.fail('error', errorRecord('ALM_BUG', { why: String((error as Error).stack) }), false)
  }
}
