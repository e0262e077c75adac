import { expect, test } from 'vitest'
import { fromSentence, fromUnittest, fromVitest, settled } from './counts.ts'

test("vitest's report is counted, a file that could not be loaded as one failure", () => {
  const report = {
    numPassedTests: 5,
    numFailedTests: 1,
    numPendingTests: 2,
    numTodoTests: 1,
    testResults: [
      { status: 'failed', assertionResults: [{}, {}] },
      { status: 'failed', assertionResults: [] },
    ],
  }
  expect(fromVitest(JSON.stringify(report))).toEqual({ passed: 5, failed: 2, skipped: 3 })
})

test.each([
  ['..\nRan 2 tests in 0.1s\n\nOK\n', { passed: 2, failed: 0, skipped: 0 }],
  ['Ran 9 tests in 1s\n\nFAILED (failures=1, errors=2, skipped=1)\n', { passed: 5, failed: 3, skipped: 1 }],
  ['ImportError: no module\n', { passed: 0, failed: 0, skipped: 0 }],
])("unittest's closing lines are counted: %j", (output, counts) => {
  expect(fromUnittest(output)).toEqual(counts)
})

test('a closing sentence is counted', () => {
  expect(fromSentence('x\nexamples: 12 passed, 3 failed\n')).toEqual({ passed: 12, failed: 3, skipped: 0 })
})

test('a program that fails without a failed test, or runs none, counts as one failure', () => {
  expect(settled({ passed: 3, failed: 0, skipped: 0 }, false)).toEqual({ passed: 3, failed: 1, skipped: 0 })
  expect(settled({ passed: 3, failed: 2, skipped: 0 }, false)).toEqual({ passed: 3, failed: 2, skipped: 0 })
  expect(settled({ passed: 0, failed: 0, skipped: 4 }, true)).toEqual({ passed: 0, failed: 1, skipped: 4 })
  expect(settled({ passed: 3, failed: 0, skipped: 0 }, true)).toEqual({ passed: 3, failed: 0, skipped: 0 })
})
