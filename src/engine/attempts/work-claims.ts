import { canonical } from '../../core/identity/canonical.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { Value } from '../../model/value.ts'
import type { CallInfo, WorkClaim } from '../calls/call-info.ts'
import { findEntry } from '../identity/cache-entry.ts'
import type { RunContext } from '../run-context.ts'
import type { AttemptStart } from './attempts.ts'

/** So often a call waits for others that leave no result; then it is executed whatever others do. */
const mostVain = 2

/**
 * Before attempts begin: of calls that the run cache serves, only those begin that nobody else executes, and whose
 * result has not been recorded since they were looked up. The others give their slot back, and look again when that
 * one has ended.
 */
export class WorkClaims {
  readonly #run: RunContext

  constructor(run: RunContext) {
    this.#run = run
  }

  /** Those of the starts that may begin. */
  async claim(shared: readonly AttemptStart[]): Promise<readonly AttemptStart[]> {
    const { work, ports, id, isOver } = this.#run
    const wanted = shared.map(({ info }) => ({
      fingerprint: info.fingerprint as string,
      run: id,
      call: info.id,
      task: info.request.name,
    }))
    // asked together, answered in this order: what is found was recorded before the claim
    const [others, found] = await Promise.all([
      work.take(wanted),
      Promise.all(shared.map(({ info }) => findEntry(ports, info))),
    ])
    const begins = new Set(shared)
    const { slots, draining } = this.#run.machine.graph
    shared.forEach((start, i) => {
      const { info, attempt } = start
      const other = others[i]
      const claim = claimOf(info)
      claim.holds = other === undefined
      const isThere = found[i] !== undefined && found[i]?.isGone !== true
      // nothing begins any more, or not now, or what is to be made is there
      if (claim.holds && (isThere || isOver() || slots.paused || draining)) {
        claim.holds = false
        work.release(info.fingerprint as string, false)
      }
      if (claim.holds || !this.#run.isIn(info, 'start')) return
      begins.delete(start)
      claim.waitsFor = isThere ? undefined : other
      if (claim.waitsFor !== undefined) this.#tell(info)
      this.#run.dispatch({ kind: 'yielded', call: info.id, attempt })
    })
    return [...begins]
  }

  /** For `why`, while it waits. */
  #tell(info: CallInfo): void {
    const { id: call, fingerprint, identity } = info
    if (fingerprint === undefined || identity === undefined) return
    const partsWire = JSON.stringify(identity.parts(info.args))
    this.#run.recorder.add({ kind: 'parts', call, fingerprint, partsWire, verdict: 'waits' })
  }

  /** The attempt has ended without a result. */
  end({ claim, fingerprint }: CallInfo): void {
    if (claim?.holds !== true || fingerprint === undefined) return
    claim.holds = false
    this.#run.work.release(fingerprint, false)
  }

  /**
   * What an attempt that nobody was kept from has given: what others have recorded meanwhile, if they have. The first
   * result wins, so that what is made of it is the same for all.
   */
  adopt(info: CallInfo, value: Value): Value | Promise<Value> {
    if ((info.claim?.vain ?? 0) < mostVain || !this.#isCached(info)) return value
    return this.#adopted(info, value)
  }

  async #adopted(info: CallInfo, value: Value): Promise<Value> {
    const { ports, recorder } = this.#run
    const found = await findEntry(ports, info)
    if (found === undefined || found.isGone) return value
    const { entry } = found
    const other = ports.hash(canonical(value, { future: noFuture }))
    if (other !== entry.digest && info.request.task?.policy.random !== true)
      recorder.add({
        kind: 'variation',
        fingerprint: entry.fingerprint,
        name: entry.name,
        call: info.id,
        digest: entry.digest,
        other,
        at: ports.clock.now(),
      })
    return found.value
  }

  #isCached(info: CallInfo): boolean {
    const { settings, machine } = this.#run
    return info.cacheable && settings.cache === 'on' && !machine.graph.call(info.id).lost
  }

  /** Is it executed for all that are the same? */
  isShared(info: CallInfo): boolean {
    return this.#isCached(info) && (info.claim?.vain ?? 0) < mostVain
  }
}

const noFuture = (): string => {
  throw new AlmanacError('ALM_BUG', { why: 'a result holds a future' })
}

function claimOf(info: CallInfo): WorkClaim {
  info.claim ??= { holds: false, waitsFor: undefined, vain: 0 }
  return info.claim
}
