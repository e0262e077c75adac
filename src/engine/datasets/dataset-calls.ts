import { isKeptResult } from '../../core/identity/remembered.ts'
import { decode } from '../../model/codec.ts'
import { type DatasetVersion, dirOfVersion } from '../../model/dataset.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { RememberedCall } from '../../model/records.ts'
import { type Digest, DirRef, FutureRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { eachRef } from '../../model/value-refs.ts'
import type { Publish } from '../../ports/datasets.ts'
import type { CallInfo } from '../calls/call-info.ts'
import { EnteredWork, type Left } from '../calls/entered-work.ts'
import { resolve } from '../calls/views.ts'
import type { RunContext } from '../run-context.ts'
import { publisher } from './publish.ts'

/** What a `read` gives. `dir` is null where only the version was asked for. */
interface ReadValue {
  readonly dir: Value
  readonly version: number
  /** of a version that was named: says nothing about which is the newest */
  readonly named?: true
}

interface ReadArgs {
  readonly version: number | null
  /** only which version is the newest, 0 for none */
  readonly head: boolean
}

interface PublishArgs {
  readonly dir: Value
  readonly parent: Value
  readonly incomplete: boolean
}

/**
 * What a run reads of datasets and publishes to them.
 *
 * K1 within a run a dataset stands still: its first read says which version all others see, in this life and in later
 *    ones, until the run itself publishes.
 * K2 a version is published when all that the run has recorded so far is durable, and once by a call.
 * K3 in a dry run nothing is published or added.
 * K4 what a run has read is pinned until it ends here, and stands still for it though its version be removed.
 */
export class DatasetCalls {
  readonly #run: RunContext
  readonly #publish: Publish
  readonly #work: EnteredWork
  /** the version that the run goes by, by dataset */
  readonly #seen = new Map<string, number>()
  /** what it was, for reads after the version is gone */
  readonly #dirs = new Map<string, { readonly version: number; readonly dir: DirRef }>()
  readonly #pins = new Map<Digest, Promise<() => void>>()

  constructor(run: RunContext, remembered: readonly RememberedCall[], anew: ReadonlySet<string>, left: Left) {
    this.#run = run
    this.#publish = publisher(run.ports)
    this.#work = new EnteredWork(run, left)
    const known = remembered.filter(
      ({ call_kind: kind, outcome }) =>
        (kind === 'read' || kind === 'publish') &&
        outcome !== undefined &&
        // one that was cancelled as it was done again is replayed as it was
        (outcome.state === 'succeeded' || isKeptResult(outcome)),
    )
    known.sort((a, b) => (a.outcome?.order ?? 0) - (b.outcome?.order ?? 0))
    for (const { name, outcome } of known) {
      const { dir, version, named } = decode(outcome?.valueWire ?? '') as unknown as ReadValue
      if (dir instanceof DirRef) {
        if (named !== true && version >= (this.#dirs.get(name)?.version ?? 0))
          this.#dirs.set(name, { version, dir })
        this.#pin(dir).catch(run.abort)
      }
      // after its own version it has seen another only if a person had it read anew
      if (named !== true && !anew.has(name))
        this.#seen.set(name, Math.max(version, this.#seen.get(name) ?? 0))
    }
  }

  /** Reading and writing goes on by itself. */
  get isBusy(): boolean {
    return this.#work.isBusy
  }

  /** The run has ended here. */
  release(): void {
    // where one could not be pinned, nothing is to be let go
    for (const pin of this.#pins.values()) pin.then((release) => release(), nothing)
    this.#pins.clear()
  }

  /** Once a run: what is shown by its digest cannot go while it reads. */
  async #pin(dir: DirRef): Promise<void> {
    const pin = this.#pins.get(dir.digest) ?? this.#run.ports.data.pin(dir)
    this.#pins.set(dir.digest, pin)
    await pin
  }

  enter(info: CallInfo): void {
    // like a task that a dry run does not start
    if (info.request.kind === 'publish' && this.#run.settings.dryRun) return
    this.#work.begin(info, info.request.kind === 'read' ? this.#read(info) : this.#published(info))
  }

  async #read(info: CallInfo): Promise<Value> {
    const { version: wanted, head } = info.args as unknown as ReadArgs
    const { name } = info.request
    if (wanted !== null) {
      const version = await this.#version(name, wanted)
      if (version === undefined) throw new AlmanacError('ALM_DATA_UNKNOWN', { name: `${name}@${wanted}` })
      return { dir: await this.#dirOf(version), version: wanted, named: true }
    }
    const seen = this.#seen.get(name)
    const scanned = seen === undefined && !head ? await this.#scanned(info) : undefined
    // another read of it may have come first meanwhile
    const number = this.#seen.get(name) ?? scanned?.version
    const version =
      scanned !== undefined && number === scanned.version ? undefined : await this.#version(name, number)
    const found = number ?? version?.version ?? 0
    if (!this.#seen.has(name)) this.#seen.set(name, found)
    if (head) return { dir: null, version: this.#seen.get(name) as number }
    if (scanned !== undefined && version === undefined) return { dir: scanned.dir, version: scanned.version }
    const known = this.#dirs.get(name)
    if (version === undefined && known !== undefined && known.version === number)
      return { dir: known.dir, version: known.version }
    if (version === undefined) throw new AlmanacError('ALM_DATA_UNKNOWN', { name })
    const dir = await this.#dirOf(version)
    this.#dirs.set(name, { version: version.version, dir })
    return { dir, version: version.version }
  }

  /** Of a dataset that lies with the user what is there now: another version, if it differs. */
  async #scanned(info: CallInfo): Promise<{ readonly dir: DirRef; readonly version: number } | undefined> {
    const { ports, settings, id } = this.#run
    const { environment } = settings
    const dataset = info.request.name
    const source = await ports.datasets.source({ environment, dataset })
    if (source === undefined) return undefined
    const { path, keep, ...options } = source
    const dir = await ports.data.scan(path, { ...options, keep: keep && !settings.dryRun })
    if (!(dir instanceof DirRef)) throw new AlmanacError('ALM_INPUT_CHANGED', { path })
    const newest = await this.#version(dataset, undefined)
    if (newest?.digest === dir.digest || settings.dryRun) return { dir, version: newest?.version ?? 0 }
    // where some files were left out the directory is not what lies there, but its files are
    const there = new DirRef(dir.digest, dir.entries, dir.size, path)
    const publication = { environment, dataset, dir: there, run: id, call: info.id, maker: 'scan' }
    const { version } = await this.#publish({ ...publication, place: keep ? 'both' : 'outside' })
    return { dir, version }
  }

  async #published(info: CallInfo): Promise<Value> {
    const { recorder, outcomes, calls, settings, id } = this.#run
    const args = resolve(info.args, {
      outcomes,
      request: calls.request,
    }) as unknown as PublishArgs
    const { name } = info.request
    const { dir } = args
    if (!(dir instanceof DirRef)) {
      const why = 'a directory is published: pass one, or dir.of({ … })'
      throw new AlmanacError('ALM_VALUE_REFUSED', { path: `dataset(${JSON.stringify(name)}).publish`, why })
    }
    if (!args.incomplete) this.#refuseIncomplete(info, dir)
    await recorder.durable()
    const version = await this.#publish({
      environment: settings.environment,
      dataset: name,
      dir,
      run: id,
      call: info.id,
      maker: 'publish',
      ...(typeof args.parent === 'number' && { parent: args.parent }),
    })
    const made = dirOfVersion(version)
    await this.#pin(made)
    // what it has published before stands for this, and others may have published since
    if (version.version >= (this.#seen.get(name) ?? 0)) {
      this.#seen.set(name, version.version)
      this.#dirs.set(name, { version: version.version, dir: made })
    }
    return { dataset: name, version: version.version, dir: made }
  }

  #version(dataset: string, version: number | undefined): Promise<DatasetVersion | undefined> {
    const { ports, settings } = this.#run
    const key = { environment: settings.environment, dataset, partition: '' }
    return version === 0 ? Promise.resolve(undefined) : ports.datasets.version(key, version)
  }

  /** @throws ALM_VERSION_GONE */
  async #dirOf(version: DatasetVersion): Promise<DirRef> {
    const { data } = this.#run.ports
    const dir = dirOfVersion(version)
    await this.#pin(dir)
    // one that was left where it lies: the same files, wherever they are
    const anywhere = new DirRef(dir.digest, dir.entries, dir.size)
    if (version.at === undefined) return anywhere
    if (!version.kept && (await data.available(dir))) return dir
    if (await data.available(anywhere)) return anywhere
    const { dataset, at } = version
    const why = `its files in ${at} have changed since`
    throw new AlmanacError('ALM_VERSION_GONE', { dataset, version: version.version, why })
  }

  /** Of what maps left out because entries failed, no part may be published as if it were all. @throws ALM_DATASET_INCOMPLETE */
  #refuseIncomplete(publish: CallInfo, dir: DirRef): void {
    const { calls, outcomes } = this.#run
    const lacking: Lacking = { calls: new Map(), digests: new Map() }
    for (const info of calls) {
      if (info.id >= publish.id) break
      const { args, request } = info
      const { kind, name } = request
      if (kind !== 'view' && kind !== 'map') continue
      const value = outcomes.value(info.id)
      const isSettled = name === 'settled' && kind === 'view'
      const lack = isSettled ? lackOf(value, args, calls) : inherited(args, lacking)
      if (lack === undefined) continue
      lacking.calls.set(info.id, lack)
      eachRef(isSettled ? (value as { done: Value }).done : value, (ref) => {
        if (ref instanceof DirRef) lacking.digests.set(ref.digest, lack)
      })
    }
    const { dir: given } = publish.args as unknown as PublishArgs
    const lack = given instanceof FutureRef ? lacking.calls.get(given.call) : lackOfContent(dir, lacking)
    if (lack !== undefined)
      throw new AlmanacError('ALM_DATASET_INCOMPLETE', { dataset: publish.request.name, ...lack })
  }
}

/** Directories that lack entries, and why: by the calls that gave them, and by their digests. */
interface Lacking {
  readonly calls: Map<number, Lack>
  readonly digests: Map<Digest, Lack>
}

function inherited(args: Value, lacking: Lacking): Lack | undefined {
  if (lacking.calls.size === 0) return undefined
  let lack: Lack | undefined
  eachRef(args, (ref) => {
    if (ref instanceof FutureRef) lack ??= lacking.calls.get(ref.call)
    else if (ref instanceof DirRef) lack ??= lackOfContent(ref, lacking)
  })
  return lack
}

/** Where it is not known what call it is of, it is known by its content; what lies with the user is no result. */
const lackOfContent = (dir: DirRef, { digests }: Lacking): Lack | undefined =>
  dir.at === undefined ? digests.get(dir.digest) : undefined

const nothing = (): void => undefined

interface Lack {
  readonly task: string
  readonly failed: number
  readonly entry: string
}

/** What `settled` of a map says of entries that failed. */
function lackOf(value: Value, args: Value, calls: RunContext['calls']): Lack | undefined {
  const { of } = args as { readonly of: Value }
  if (!(of instanceof FutureRef) || value === null || typeof value !== 'object' || !('failed' in value))
    return undefined
  const failed = Object.keys((value as { readonly failed: object }).failed)
  if (failed.length === 0) return undefined
  return { task: calls.request(of.call).name, failed: failed.length, entry: failed[0] as string }
}
