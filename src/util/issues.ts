/** What a schema finds, in the form of Standard Schema. */
interface Issue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
  /** of a union of zod, by alternative */
  readonly errors?: readonly (readonly Issue[])[]
}

/** What of a value does not fit, with the paths to it: `gain: Invalid input: expected number, received string`. */
export const issuesText = (issues: readonly Issue[], value: unknown): string =>
  issues.map((issue) => issueText(issue, value)).join('; ')

function issueText({ message, path = [], errors }: Issue, value: unknown): string {
  const steps = path.map((step) => (typeof step === 'object' ? step.key : step))
  // the alternative that is meant is the one of which only a part does not fit
  const meant = errors?.find((issues) => issues.every((issue) => (issue.path?.length ?? 0) > 0))
  if (meant !== undefined)
    return issuesText(
      meant.map((issue) => ({ ...issue, path: [...steps, ...(issue.path ?? [])] })),
      value,
    )
  if (steps.length === 0) return message
  const at = placeText(steps)
  // zod's own words for what is not there depend on the type
  if (message.startsWith('Invalid input') && valueAt(value, steps) === undefined)
    return `${at}: it is missing`
  return `${at}: ${message}`
}

/** As code of either language writes it: `scene.gains[1]`. */
const placeText = (steps: readonly PropertyKey[]): string =>
  steps
    .map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at === 0 ? '' : '.'}${String(step)}`))
    .join('')

function valueAt(value: unknown, steps: readonly PropertyKey[]): unknown {
  let found = value
  for (const step of steps) {
    if (found === null || typeof found !== 'object') return undefined
    found = (found as Record<PropertyKey, unknown>)[step]
  }
  return found
}
