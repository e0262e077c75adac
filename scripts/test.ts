import { runSteps } from './steps/run-steps.ts'
import { checkSteps, testSteps } from './steps/steps.ts'

/** Everything: what every change must pass, then the tests from outside. */

process.exitCode = (await runSteps([...checkSteps, ...testSteps])) ? 0 : 1
