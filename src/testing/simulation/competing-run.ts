import { openMemoryJournal } from '../../journal/memory/open.ts'
import type { MemoryStore } from '../../journal/memory/store.ts'
import type { LimitNeed, LimitRule } from '../../model/limits.ts'
import type { SeededChance } from '../seeded-chance.ts'

/** What another run may take at once. */
const kinds: readonly (readonly LimitNeed[])[] = [
  [{ name: 'one', units: 1 }],
  [{ name: 'three', units: 2 }],
  [
    { name: 'one', units: 1 },
    { name: 'three', units: 1 },
  ],
  [{ name: 'often', units: 1 }],
]

/** A run of another process, that takes of the same limits, waits for them, gives back, and dies. */
export class CompetingRun {
  readonly #store: MemoryStore
  readonly #chance: SeededChance
  readonly #rules: readonly LimitRule[]
  #journal: ReturnType<typeof openMemoryJournal>
  readonly #doors = kinds.map((needs) => ({ needs, key: JSON.stringify(needs), held: 0, wanted: 0 }))

  constructor(store: MemoryStore, chance: SeededChance, rules: readonly LimitRule[]) {
    this.#store = store
    this.#chance = chance
    this.#rules = rules
    this.#journal = openMemoryJournal(store)
  }

  /** Units of a limit that it holds. */
  held(name: string): number {
    return this.#doors.reduce(
      (sum, { needs, held }) => sum + held * (needs.find((need) => need.name === name)?.units ?? 0),
      0,
    )
  }

  async act(now: number): Promise<void> {
    if (this.#chance.number() < 0.1) return this.die()
    const door = this.#chance.pick(this.#doors)
    const back = door.held > 0 && this.#chance.number() < 0.6 ? 1 : 0
    if (back === 0 && this.#chance.number() < 0.5) door.wanted = this.#chance.below(3)
    const { key, needs, wanted } = door
    door.held -= back
    const ask = { run: 'competing', key, needs, rules: this.#rules, back, unused: 0, wanted, now }
    const [answer] = await this.#journal.limits.ask([ask])
    door.held += answer?.granted ?? 0
    door.wanted -= answer?.granted ?? 0
  }

  async die(): Promise<void> {
    await this.#journal.journal.close()
    for (const door of this.#doors) {
      door.held = 0
      door.wanted = 0
    }
    this.#journal = openMemoryJournal(this.#store)
  }
}
