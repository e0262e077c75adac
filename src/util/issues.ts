/** What a schema finds, in the form of Standard Schema. */
interface Issue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What of a value does not fit, with the paths to it: `gain: Invalid input: expected number, received string`. */
export const issuesText = (issues: readonly Issue[], value: unknown): string =>
  issues.map((issue) => issueText(issue, value)).join('; ')

function issueText({ message, path = [] }: Issue, value: unknown): string {
  const steps = path.map((step) => (typeof step === 'object' ? step.key : step))
  if (steps.length === 0) return message
  const at = steps.map(String).join('.')
  // zod's own words for what is not there depend on the type
  if (message.startsWith('Invalid input') && valueAt(value, steps) === undefined)
    return `${at}: it is missing`
  return `${at}: ${message}`
}

function valueAt(value: unknown, steps: readonly PropertyKey[]): unknown {
  let found = value
  for (const step of steps) {
    if (found === null || typeof found !== 'object') return undefined
    found = (found as Record<PropertyKey, unknown>)[step]
  }
  return found
}
