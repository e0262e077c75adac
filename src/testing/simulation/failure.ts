/** What a simulation found: which promise was broken, and how. */
export class Broken extends Error {
  override readonly name = 'Broken'
  readonly rule: string

  constructor(rule: string, why: string) {
    super(`${rule}: ${why}`)
    this.rule = rule
  }
}
