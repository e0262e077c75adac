import type { DoorChange } from '../../core/run/admissions.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { LimitNeed, LimitNeeds, LimitRule } from '../../model/limits.ts'
import type { TaskPolicy } from '../../model/task.ts'
import type { LimitAnswer } from '../../ports/limits.ts'
import type { RunContext } from '../run-context.ts'

/** ms after which whoever waits, or holds what others may wait for, asks again without being told to. */
const lookMs = 1000

/** What is asked for with the same needs, of limits that runs share. */
interface Door {
  readonly needs: LimitNeeds
  back: number
  unused: number
  wanted: number
  /** had, and not given back */
  held: number
  isAsking: boolean
  /** something has changed since it was asked */
  isDue: boolean
  cancelTimer: (() => void) | undefined
}

/**
 * Carries what a run asks of shared limits to where they are kept, and the answers back.
 *
 * L1 for the same needs one question is under way at a time; what changes meanwhile goes with the next.
 * L2 who waits asks again when others have given something back, when a rate allows it, and now and then; who holds,
 *    so that it hears of those who wait.
 * L3 when the run ends, nothing is held or waited for.
 */
export class LimitDoors {
  readonly #run: RunContext
  readonly #rules: Map<string, LimitRule>
  readonly #doors = new Map<string, Door>()
  readonly #known = new Set<TaskPolicy>()
  #stopWatching: (() => void) | undefined

  constructor(run: RunContext) {
    this.#run = run
    this.#rules = new Map(run.settings.limits.map((rule) => [rule.name, rule]))
  }

  /** A workflow of the run has limits of its own; the project's and those that came first go before them. */
  declare(rules: readonly LimitRule[]): void {
    for (const rule of rules) if (!this.#rules.has(rule.name)) this.#rules.set(rule.name, rule)
  }

  /** A call of the task is about to be made. @throws ALM_LIMIT_UNKNOWN, ALM_LIMIT_TOO_MUCH */
  check(task: string, policy: TaskPolicy): void {
    if (policy.limits === undefined || this.#known.has(policy)) return
    for (const { name: limit, units, rate } of policy.limits.needs) {
      if (rate !== undefined) continue
      const rule = this.#rules.get(limit)
      if (rule === undefined)
        throw new AlmanacError('ALM_LIMIT_UNKNOWN', { task, limit, known: namesText(this.#rules) })
      const most = rule.capacity ?? Infinity
      if (units > most) throw new AlmanacError('ALM_LIMIT_TOO_MUCH', { task, limit, units, capacity: most })
    }
    this.#known.add(policy)
  }

  /** The machine wants more, or less. */
  change({ needs, back, unused, wanted }: DoorChange): void {
    const { settings, dispatch } = this.#run
    if (settings.dryRun) {
      if (wanted > 0) dispatch({ kind: 'admitted', limits: needs.key, calls: wanted, isShared: false })
      return
    }
    const door = this.#door(needs)
    door.back += back
    door.unused += unused
    door.wanted = wanted
    door.held -= back + unused
    this.#askSoon(door)
  }

  /** Nothing of the run goes on. */
  async close(): Promise<void> {
    this.#stopWatching?.()
    for (const door of this.#doors.values()) door.cancelTimer?.()
    if (this.#doors.size === 0) return
    // where the journal fails, whoever records next says so; what is held then ends with this process
    await this.#run.ports.limits.leave(this.#run.id).catch(() => undefined)
  }

  #askSoon(door: Door): void {
    door.isDue = true
    if (door.isAsking) return
    door.isAsking = true
    // what follows from one event goes together
    queueMicrotask(() => void this.#ask(door))
  }

  async #ask(door: Door): Promise<void> {
    const { ports, id: run, isOver, abort } = this.#run
    const { key, needs } = door.needs
    try {
      while (door.isDue && !isOver()) {
        door.isDue = false
        door.cancelTimer?.()
        const { back, unused, wanted } = door
        door.back = 0
        door.unused = 0
        const now = ports.clock.now()
        const rules = needs.map((need) => this.#rule(need))
        const [answer] = await ports.limits.ask([{ run, key, needs, rules, back, unused, wanted, now }])
        this.#answered(door, answer as LimitAnswer)
      }
    } catch (error) {
      abort(error)
    } finally {
      door.isAsking = false
    }
  }

  #answered(door: Door, { granted, isShared, blockedBy, retryAt }: LimitAnswer): void {
    const { ports, dispatch, isOver } = this.#run
    if (isOver()) return
    door.held += granted
    door.wanted = Math.max(0, door.wanted - granted)
    dispatch({ kind: 'admitted', limits: door.needs.key, calls: granted, isShared, blockedBy })
    if (door.isDue || (door.wanted === 0 && door.held === 0)) return
    const now = ports.clock.now()
    const at = door.wanted > 0 ? Math.min(retryAt ?? Infinity, now + lookMs) : now + lookMs
    door.cancelTimer = ports.clock.at(Math.max(at, now + 1), () => this.#askSoon(door))
  }

  #door(needs: LimitNeeds): Door {
    let door = this.#doors.get(needs.key)
    if (door === undefined) {
      door = {
        needs,
        back: 0,
        unused: 0,
        wanted: 0,
        held: 0,
        isAsking: false,
        isDue: false,
        cancelTimer: undefined,
      }
      this.#doors.set(needs.key, door)
      this.#stopWatching ??= this.#run.ports.limits.watch(() => this.#look())
    }
    return door
  }

  /** Others have given something back, or wait for something. */
  #look(): void {
    if (this.#run.isOver()) return
    for (const door of this.#doors.values()) if (door.wanted + door.held > 0) this.#askSoon(door)
  }

  #rule({ name, rate }: LimitNeed): LimitRule {
    return rate === undefined ? (this.#rules.get(name) ?? { name }) : { name, rate }
  }
}

const namesText = (rules: ReadonlyMap<string, LimitRule>): string =>
  rules.size === 0 ? 'there are none' : `there are ${[...rules.keys()].toSorted().join(', ')}`
