import { scriptOptions } from './options/script-options.ts'
import { runSteps } from './steps/run-steps.ts'
import { checkSteps, testSteps } from './steps/steps.ts'

/** Everything: what every change must pass, then the tests from outside. */

scriptOptions({
  command: 'npm test --',
  does: 'All checks, then the tests from outside. Some of them: npm run unit -- FOLDER, npm run e2e -- FOLDER.',
  options: {},
})
process.exitCode = (await runSteps([...checkSteps, ...testSteps])) ? 0 : 1
