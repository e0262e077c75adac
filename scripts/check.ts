import { scriptOptions } from './options/script-options.ts'
import { runSteps } from './steps/run-steps.ts'
import { checkSteps } from './steps/steps.ts'

/** What every change must pass; names of steps as arguments run only those. */

const { words } = scriptOptions({
  command: 'npm run check --',
  does: 'What every change must pass: all steps, or those named.',
  options: {},
  words: { shown: 'step', of: checkSteps.map((step) => step.name) },
})
const steps = checkSteps.filter((step) => words.length === 0 || words.includes(step.name))
process.exitCode = (await runSteps(
  steps.map((step) => ({
    ...step,
    after: step.after?.filter((name) => steps.some((one) => one.name === name)) ?? [],
  })),
))
  ? 0
  : 1
