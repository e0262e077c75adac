import { fingerprintStart } from '../../core/identity/fingerprint.ts'
import { plainText } from '../../model/codec.ts'
import type { Digest } from '../../model/refs.ts'
import { FutureRef, HeldRef, type Ref, UrlRef } from '../../model/refs.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { Value } from '../../model/value.ts'
import { eachRef } from '../../model/value-refs.ts'
import type { CallRequest } from '../../ports/caller.ts'
import type { CodeFingerprint } from '../../ports/code.ts'
import { isEmpty } from '../../util/empty.ts'
import type { CallInfo, TaskIdentity } from '../calls/call-info.ts'
import { type Outcomes, shortText } from '../calls/outcomes.ts'
import type { EnginePorts } from '../settings.ts'

/** What a call is known by. */
export interface Identity {
  readonly of: TaskIdentity
  readonly cacheable: boolean
  /** nothing in its arguments refers to anything: its fingerprint can be computed at any time */
  readonly isFree: boolean
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
  /** those that were asked for without waiting */
  readonly #tried = new Set<TaskSpec>()
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

  /** What is the same for all calls of it; undefined for a task that is to be looked up first. */
  known(request: CallRequest): TaskIdentity | undefined {
    const { task } = request
    if (task === undefined) return this.#builtIn(request)
    return this.#known.get(task) ?? (this.#tried.has(task) ? undefined : this.#knownNow(task))
  }

  /** A function makes calls without a pause: what of them is known without waiting may start while it does. */
  #knownNow(task: TaskSpec): TaskIdentity | undefined {
    this.#tried.add(task)
    if (task.reads.length > 0 || this.#underWay.has(task)) return undefined
    const around = this.#ports.surroundings.known(task)
    const reached = around && this.#ports.code.known(task)
    return around && reached && this.#learnt(task, reached, { ...around })
  }

  #builtIn({ name, kind }: CallRequest): TaskIdentity {
    const start = fingerprintStart({ name, code: kind, surroundings: {} })
    const parts = (args: Value) => ({ inputs: this.#ports.hash(this.#inputs(args)) })
    return { code: kind, codeParts: {}, surroundings: {}, ...this.#fingerprints(start), basis: kind, parts }
  }

  #fingerprints(start: string): Pick<TaskIdentity, 'fingerprint' | 'fingerprintOf'> {
    return {
      fingerprint: (args) => this.#ports.hash(start + this.#inputs(args)),
      fingerprintOf: (args) => ({ start, rest: this.#inputs(args) }),
    }
  }

  identify(info: CallInfo, known: TaskIdentity): Identity {
    const { task, kind } = info.request
    // plain arguments are not even looked at: they would be made anew
    const refs = info.isPlain ? noRefs : this.#refsIn(info.args)
    return {
      of: task?.policy.location === true ? this.#placed(task, known, refs.places) : known,
      cacheable: task !== undefined && kind !== 'map' && isCacheable(task, refs.files, refs.held.length > 0),
      isFree: refs.none,
      heldKeys: refs.held,
    }
  }

  #refsIn(args: Value): InputRefs {
    const refs = { files: false, held: [] as Digest[], places: [] as string[], none: true }
    refs.none = !this.#eachInputRef(args, (ref) => {
      if (ref instanceof HeldRef) refs.held.push(ref.key)
      else refs.files = true
      // the place of a URL counts always, and where it is read at may be signed
      if (!(ref instanceof HeldRef || ref instanceof UrlRef)) refs.places.push(ref.at ?? '')
    })
    return refs
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
    const start = fingerprintStart({ name, code, surroundings })
    const shared = { ...prefixed('code', codeParts), ...prefixed('surroundings', surroundings) }
    const parts = (args: Value) => ({ ...shared, ...this.#inputParts(args) })
    const basis = this.#ports.hash(start)
    return { code, codeParts, surroundings, ...this.#fingerprints(start), basis, parts }
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

  /** The arguments' text: each by itself, so that it counts the same passed as a future or as a value. */
  #inputs(args: Value): string {
    const plain = plainText(args)
    // what they would be put together to
    if (plain !== undefined && plain.length <= shortText) return plain
    if (!isFields(args)) return this.#outcomes.text(args)
    const names = Object.keys(args)
    const positions = args['args']
    if (names.length === 1 && Array.isArray(positions)) return this.#positions(positions)
    const context = args['context'] as Value
    if (names.length === 2 && Array.isArray(positions) && isFields(context))
      return `${this.#positions(positions)}${this.#inputs(context)}`
    const texts = names.sort().map((name) => `${JSON.stringify(name)}:${this.#outcomes.text(args[name])}`)
    return `{${texts.join(',')}}`
  }

  #positions(positions: readonly Value[]): string {
    return `{"args":[${positions.map((item) => this.#outcomes.text(item)).join(',')}]}`
  }

  /** Is there any reference at all? */
  #eachInputRef(args: Value, found: (ref: Exclude<Ref, FutureRef>) => void): boolean {
    let isThere = false
    eachRef(args, (ref) => {
      isThere = true
      if (!(ref instanceof FutureRef)) return found(ref)
      if (ref.path.length === 0 && this.#outcomes.isUnread(ref.call)) return
      eachRef(this.#outcomes.field(ref, this.#nameOf(ref.call)), (inner) => {
        if (!(inner instanceof FutureRef)) found(inner)
      })
    })
    return isThere
  }

  /** Once a run: who asks again gets the same. */
  lookUp(task: TaskSpec): Promise<TaskIdentity> {
    let underWay = this.#underWay.get(task)
    if (underWay === undefined) {
      underWay = this.#lookUp(task)
      this.#underWay.set(task, underWay)
    }
    return underWay
  }

  async #lookUp(task: TaskSpec): Promise<TaskIdentity> {
    const { code, surroundings, data } = this.#ports
    const [reached, around] = await Promise.all([code.fingerprint(task), surroundings.of(task)])
    const counted: Record<string, string> = { ...around }
    for (const [at, path] of task.reads.entries()) {
      const name = `file ${path.replace(/^.*\//, '')}`
      // of several of one name each counts
      counted[name in counted ? `${name} ${at + 1}` : name] = (await data.scan(path)).digest
    }
    return this.#learnt(task, reached, counted)
  }

  #learnt(task: TaskSpec, reached: CodeFingerprint, counted: Record<string, string>): TaskIdentity {
    const { hash, variable } = this.#ports
    for (const warning of reached.warnings) this.#warn(task, warning)
    for (const name of task.env) {
      const value = variable(name)
      // only its digest: a variable may be a secret
      counted[`variable ${name}`] = value === undefined ? '' : hash(value)
    }
    if (task.outputs !== undefined) counted['outputs'] = JSON.stringify(task.outputs)
    // whoever takes a file knows it by its name
    if (!isEmpty(task.outputNames ?? {})) counted['output names'] = JSON.stringify(task.outputNames)
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
function isCacheable(task: TaskSpec, takesFiles: boolean, takesHeld: boolean): boolean {
  if (task.policy.effect) return false
  // an entry for each array of a reduction would cost more than it saves, unless somebody wants it
  if (takesHeld) return task.policy.cache === true
  return task.policy.cache === undefined ? takesFiles : task.policy.cache !== false
}

const prefixed = (prefix: string, parts: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(parts).map(([name, part]) => [`${prefix} ${name}`, part]))

/** What the inputs of a call hold besides values. */
interface InputRefs {
  readonly files: boolean
  readonly held: readonly Digest[]
  /** where files and directories lie */
  readonly places: readonly string[]
  /** nor futures */
  readonly none: boolean
}

const noRefs: InputRefs = { files: false, held: [], places: [], none: true }

const isFields = (args: Value): args is Record<string, Value> =>
  args !== null && typeof args === 'object' && Object.getPrototypeOf(args) === Object.prototype

/** More inputs than these are one part of what `why` tells. */
const mostInputs = 20

/** Arguments by their names, or by their places from 1. */
function inputsByName(args: Value): (readonly [name: string, value: Value])[] {
  if (!isFields(args)) return [['1', args]]
  const { args: positions, context, ...others } = args
  if (Object.keys(others).length === 0 && Array.isArray(positions)) {
    const documents = Object.entries((context ?? {}) as Record<string, Value>)
    return [
      ...positions.map((value: Value, i) => [String(i + 1), value] as const),
      ...documents.map(([name, value]) => [`context ${name}`, value] as const),
    ]
  }
  return Object.entries(args).sort(([a], [b]) => (a < b ? -1 : 1))
}
