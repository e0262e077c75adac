/** How many tests a step ran. */
export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** Reads vitest's JSON report. A file that could not be loaded has no tests, and is one that failed. */
export function fromVitest(report: string): Counts {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    report,
  ) as {
    readonly numPassedTests: number
    readonly numFailedTests: number
    readonly numPendingTests: number
    readonly numTodoTests: number
    readonly testResults: readonly {
      readonly status: string
      readonly assertionResults: readonly unknown[]
    }[]
  }
  const broken = testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length
  return { passed: numPassedTests, failed: numFailedTests + broken, skipped: numPendingTests + numTodoTests }
}

/** Reads the closing lines of Python's unittest. */
export function fromUnittest(output: string): Counts {
  const ran = Number(/^Ran (\d+) tests?/m.exec(output)?.[1] ?? 0)
  const last = output.trimEnd().split('\n').at(-1) ?? ''
  const count = (word: string): number => Number(new RegExp(`${word}=(\\d+)`).exec(last)?.[1] ?? 0)
  const failed = count('failures') + count('errors') + count('unexpected successes')
  const skipped = count('skipped')
  return { passed: Math.max(0, ran - failed - skipped), failed, skipped }
}

/** Reads a last line `… N passed, N failed`. */
export function fromSentence(output: string): Counts {
  const [, passed, failed] = /(\d+) passed, (\d+) failed\s*$/.exec(output) ?? []
  return { passed: Number(passed ?? 0), failed: Number(failed ?? 0), skipped: 0 }
}

/** A step fails where its program does, even if it counted no failure, and where there was nothing to count. */
export const settled = (counts: Counts, ok: boolean): Counts =>
  counts.failed === 0 && (!ok || counts.passed === 0) ? { ...counts, failed: 1 } : counts
