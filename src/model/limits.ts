/** How often: `count` units in each `perMs` ms, spaced evenly; after a silence so many at once as `burst` says. */
export interface LimitRate {
  readonly count: number
  readonly perMs: number
  readonly burst: number
}

/** A limit as it was declared: units held at once, units taken in a time, or both. */
export interface LimitRule {
  readonly name: string
  /** absent: any number at once */
  readonly capacity?: number
  readonly rate?: LimitRate
}

/** What a call takes of a limit while it runs. */
export interface LimitNeed {
  readonly name: string
  readonly units: number
  /** a rate of the task's own, declared with it */
  readonly rate?: LimitRate
}

/** All that calls of a task take, of limits by name. */
export interface LimitNeeds {
  /** equal for equal needs */
  readonly key: string
  readonly needs: readonly LimitNeed[]
}
