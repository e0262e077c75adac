import { AlmanacError } from '../../model/errors.ts'
import { DirRef } from '../../model/refs.ts'
import type { SourceSecrets } from '../../model/source.ts'
import type { Value } from '../../model/value.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Downloads } from '../../ports/downloads.ts'
import type { AttemptEnd, Executor, ExecutorListener } from '../../ports/executor.ts'
import type { BucketPlace, RemoteObjects } from '../../ports/remote-objects.ts'
import type { Urls } from '../../ports/urls.ts'
import { MemoryDownloads } from '../memory/memory-downloads.ts'
import { taskSpec } from '../task-spec.ts'
import { Recorder } from './recorder.ts'

interface Options {
  readonly clock: Clock
  readonly downloads: () => Promise<Downloads>
  readonly objects: (place: BucketPlace) => Promise<RemoteObjects>
  readonly chance: () => number
  readonly urls: Pick<Urls, 'look' | 'close'>
}

/** A clock that jumps to whatever is waited for, and notes how long that would have been. */
class HastyClock implements Clock {
  readonly waits: number[] = []
  #now = Date.UTC(2026, 0, 1)

  now(): number {
    return this.#now
  }

  at(time: number, wake: () => void): () => void {
    let live = true
    setImmediate(() => {
      if (!live) return
      if (time > this.#now) this.waits.push(time - this.#now)
      this.#now = Math.max(this.#now, time)
      wake()
    })
    return () => {
      live = false
    }
  }

  atRest(then: () => void): void {
    setImmediate(then)
  }
}

/** An executor of sources over memory. */
export class SourceRig {
  readonly clock = new HastyClock()
  readonly downloads = new MemoryDownloads()
  readonly recorder = new Recorder()
  /** buckets of others, if the test has any */
  objects = async (): Promise<RemoteObjects> => {
    throw new AlmanacError('ALM_USAGE', { why: 'the test has no bucket' })
  }
  readonly #executor: Executor
  #count = 0

  constructor(open: (options: Options, listener: ExecutorListener) => Executor) {
    const options = {
      clock: this.clock,
      downloads: async () => this.downloads,
      chance: () => 1,
      objects: () => this.objects(),
      urls: {
        look: async (): Promise<never> => {
          throw new AlmanacError('ALM_USAGE', { why: 'the test has no URLs' })
        },
        close: () => Promise.resolve(),
      },
    }
    this.#executor = open(options, this.recorder)
  }

  begin(
    args: Readonly<Record<string, Value>>,
    secrets?: Partial<SourceSecrets>,
    from: 'http' | 's3' = 'http',
  ): string {
    const id = `run/0.${++this.#count}#1`
    this.#executor.submit([
      {
        id,
        run: 'run',
        call: 0,
        attempt: 1,
        key: 'key',
        task: taskSpec(`source.${from}`, { kind: 'source', from }),
        inputs: args,
        outputs: {},
        scratch: '',
        idempotencyKey: 'run/key',
        memoryBytes: 0,
        env: {},
        logicalTime: 0,
        fn: () => ({ urls: new Map(), headers: {}, ...secrets }),
      },
    ])
    return id
  }

  end(id: string): Promise<AttemptEnd> {
    return this.recorder.end(id)
  }

  async fetch(
    args: Readonly<Record<string, Value>>,
    secrets?: Partial<SourceSecrets>,
    from: 'http' | 's3' = 'http',
  ): Promise<AttemptEnd> {
    return await this.end(this.begin(args, secrets, from))
  }

  cancel(id: string): void {
    this.#executor.cancel(id, 1000)
  }

  /** What came, by path; or the code and words of the failure. */
  async got(
    args: Readonly<Record<string, Value>>,
    secrets?: Partial<SourceSecrets>,
    from: 'http' | 's3' = 'http',
  ): Promise<Record<string, string> | string> {
    const end = await this.fetch(args, secrets, from)
    if (end.kind === 'failed') return `${end.error.code} ${end.error.message}`
    if (end.kind !== 'succeeded' || !(end.values[''] instanceof DirRef)) return end.kind
    return this.downloads.made
  }

  async close(): Promise<void> {
    await this.#executor.close()
  }
}
