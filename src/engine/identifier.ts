import { eachRef } from '../core/identity/canonical.ts'
import { fingerprintWith } from '../core/identity/fingerprint.ts'
import type { Digest } from '../model/refs.ts'
import { FutureRef, HeldRef, type Ref, UrlRef } from '../model/refs.ts'
import type { TaskSpec } from '../model/task.ts'
import type { Value } from '../model/value.ts'
import type { CallInfo } from './call-info.ts'
import type { Outcomes } from './outcomes.ts'
import type { EnginePorts } from './settings.ts'

/** What is the same for all calls of a task in a run. */
interface TaskIdentity {
  readonly code: string
  readonly codeParts: Readonly<Record<string, string>>
  readonly surroundings: Readonly<Record<string, string>>
  readonly fingerprint: (inputs: Digest) => Digest
  readonly basis: string
}

/** What a call is known by. */
export interface Identity {
  readonly fingerprint: Digest
  /** what made it, by name: put together only where it is kept, which for most calls it is not */
  readonly parts: () => Readonly<Record<string, string>>
  /** code and surroundings without the inputs: what a map's earlier results must agree in */
  readonly basis: string
  readonly cacheable: boolean
  /** keys of the calls whose results live in a worker and are among the inputs */
  readonly heldKeys: readonly Digest[]
}

/**
 * Computes fingerprints: code, inputs, declared surroundings (`docs/identity.md`). What is the same for all calls of
 * a task is looked up once a run.
 */
export class Identifier {
  readonly #ports: Pick<EnginePorts, 'code' | 'surroundings' | 'data' | 'hash' | 'variable'>
  readonly #outcomes: Outcomes
  readonly #nameOf: (call: number) => string
  readonly #warn: (task: TaskSpec, warning: string) => void
  readonly #known = new Map<TaskSpec, TaskIdentity>()
  readonly #expected = new Set<TaskSpec>()
  readonly #underWay = new Map<TaskSpec, Promise<TaskIdentity>>()

  constructor(
    ports: Pick<EnginePorts, 'code' | 'surroundings' | 'data' | 'hash' | 'variable'>,
    outcomes: Outcomes,
    nameOf: (call: number) => string,
    warn: (task: TaskSpec, warning: string) => void,
  ) {
    this.#ports = ports
    this.#outcomes = outcomes
    this.#nameOf = nameOf
    this.#warn = warn
  }

  /**
   * A call of it was made. What takes a process to count is begun now, for all tasks of a turn together, and known when
   * the first call can be identified: each by itself would hold up what waits for it.
   */
  expect(task: TaskSpec): void {
    if (task.body.kind !== 'python' || this.#expected.has(task)) return
    this.#expected.add(task)
    // what is wrong with it is said of a call that is identified, if there is one
    this.#ports.code.fingerprint(task).catch(() => undefined)
  }

  /** At once where the task is known already: thousands of calls must not cost a promise each. */
  identify(info: CallInfo, args: Value): Identity | Promise<Identity> {
    const { task } = info.request
    if (task === undefined) return this.#builtIn(info, args)
    const known = this.#known.get(task)
    if (known !== undefined) return this.#identity(info, task, known, args)
    return this.#task(task).then((identity) => this.#identity(info, task, identity, args))
  }

  #builtIn(info: CallInfo, args: Value): Identity {
    const inputs = this.#inputs(args)
    const { name, kind } = info.request
    return {
      fingerprint: fingerprintWith({ name, code: kind, surroundings: {} }, this.#ports.hash)(inputs),
      parts: () => ({ inputs }),
      basis: kind,
      cacheable: false,
      heldKeys: [],
    }
  }

  #identity(info: CallInfo, task: TaskSpec, known: TaskIdentity, args: Value): Identity {
    const refs = { files: false, held: [] as Digest[], places: [] as string[] }
    this.#eachInputRef(args, (ref) => {
      if (ref instanceof HeldRef) refs.held.push(ref.key)
      else refs.files = true
      // the place of a URL counts always, and where it is read at may be signed
      if (ref instanceof HeldRef || ref instanceof UrlRef) return
      if (task.policy.location) refs.places.push(ref.at ?? '')
    })
    const inputs = this.#inputs(args)
    const { surroundings, fingerprint, basis } = task.policy.location
      ? this.#placed(task, known, refs.places)
      : known
    const cacheable = refs.held.length === 0 && info.request.kind !== 'map' && isCacheable(task, refs.files)
    return {
      fingerprint: fingerprint(inputs),
      parts: () => ({
        ...prefixed('code', known.codeParts),
        ...prefixed('surroundings', surroundings),
        ...this.#inputParts(args),
      }),
      basis,
      cacheable,
      heldKeys: refs.held,
    }
  }

  /** Where the inputs lie counts too. */
  #placed(
    task: TaskSpec,
    { code, codeParts, surroundings }: TaskIdentity,
    places: readonly string[],
  ): TaskIdentity {
    return this.#identityOf(task, code, codeParts, { ...surroundings, location: places.join('\n') })
  }

  #identityOf(
    { name }: TaskSpec,
    code: string,
    codeParts: TaskIdentity['codeParts'],
    surroundings: TaskIdentity['surroundings'],
  ): TaskIdentity {
    const identify = fingerprintWith({ name, code, surroundings }, this.#ports.hash)
    return { code, codeParts, surroundings, fingerprint: identify, basis: identify('') }
  }

  /** Each argument by itself, as far as anybody would read them. */
  #inputParts(args: Value): Record<string, string> {
    const named = inputsByName(args)
    const told = named.slice(0, mostInputs)
    const rest = named.slice(mostInputs).map(([, value]) => this.#outcomes.text(value))
    return Object.fromEntries([
      ...told.map(([name, value]) => [`input ${name}`, this.#outcomes.text(value)]),
      ...(rest.length === 0 ? [] : [['inputs', this.#ports.hash(rest.join('\n'))]]),
    ]) as Record<string, string>
  }

  /** Digest of the arguments: each by itself, so that it counts the same passed as a future or as a value. */
  #inputs(args: Value): Digest {
    const fields =
      args !== null &&
      typeof args === 'object' &&
      !Array.isArray(args) &&
      Object.getPrototypeOf(args) === Object.prototype
    if (!fields) return this.#ports.hash(this.#outcomes.text(args))
    const names = Object.keys(args)
    const positions = (args as Record<string, Value>)['args']
    if (names.length === 1 && Array.isArray(positions)) {
      return this.#ports.hash(positions.map((item: Value) => this.#outcomes.text(item)).join('\n'))
    }
    const texts = names
      .sort()
      .map((name) => `${JSON.stringify(name)}:${this.#outcomes.text((args as Record<string, Value>)[name])}`)
    return this.#ports.hash(texts.join('\n'))
  }

  #eachInputRef(args: Value, found: (ref: Exclude<Ref, FutureRef>) => void): void {
    eachRef(args, (ref) => {
      if (!(ref instanceof FutureRef)) return found(ref)
      eachRef(this.#outcomes.field(ref, this.#nameOf(ref.call)), (inner) => {
        if (!(inner instanceof FutureRef)) found(inner)
      })
    })
  }

  #task(task: TaskSpec): Promise<TaskIdentity> {
    let underWay = this.#underWay.get(task)
    if (underWay === undefined) {
      underWay = this.#lookUp(task)
      this.#underWay.set(task, underWay)
    }
    return underWay
  }

  async #lookUp(task: TaskSpec): Promise<TaskIdentity> {
    const { code, surroundings, data, hash, variable } = this.#ports
    const [reached, around] = await Promise.all([code.fingerprint(task), surroundings.of(task)])
    for (const warning of reached.warnings) this.#warn(task, warning)
    const counted: Record<string, string> = { ...around }
    for (const name of task.env) {
      const value = variable(name)
      // only its digest: a variable may be a secret
      counted[`variable ${name}`] = value === undefined ? '' : hash(value)
    }
    for (const path of task.reads)
      counted[`file ${path.replace(/^.*\//, '')}`] = (await data.scan(path)).digest
    if (task.outputs !== undefined) counted['outputs'] = JSON.stringify(task.outputs)
    const { version } = task
    const identity =
      version === undefined
        ? this.#identityOf(task, reached.digest, reached.parts, counted)
        : this.#identityOf(task, `version ${version}`, { version }, counted)
    this.#known.set(task, identity)
    return identity
  }
}

/** The rule of `docs/identity.md`, Run cache. What gives nothing is known only when it has run. */
function isCacheable(task: TaskSpec, takesFiles: boolean): boolean {
  if (task.policy.effect) return false
  return task.policy.cache === undefined ? takesFiles : task.policy.cache !== false
}

const prefixed = (prefix: string, parts: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(parts).map(([name, part]) => [`${prefix} ${name}`, part]))

/** More inputs than these are one part of what `why` tells. */
const mostInputs = 20

/** Arguments by their names, or by their places from 1. */
function inputsByName(args: Value): (readonly [name: string, value: Value])[] {
  if (args === null || typeof args !== 'object' || Object.getPrototypeOf(args) !== Object.prototype)
    return [['1', args]]
  const fields = args as Record<string, Value>
  const positions = fields['args']
  if (Object.keys(fields).length === 1 && Array.isArray(positions))
    return positions.map((value: Value, i) => [String(i + 1), value])
  return Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))
}
