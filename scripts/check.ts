import { runSteps } from './steps/run-steps.ts'
import { checkSteps } from './steps/steps.ts'

/** What every change must pass; names of steps as arguments run only those. */

const names = process.argv.slice(2)
const steps = checkSteps.filter((step) => names.length === 0 || names.includes(step.name))
const unknown = names.filter((name) => !checkSteps.some((step) => step.name === name))
if (unknown.length > 0)
  throw new Error(
    `there is no step ${unknown.join(', ')}; there are ${checkSteps.map((step) => step.name).join(', ')}`,
  )
process.exitCode = (await runSteps(
  steps.map((step) => ({
    ...step,
    after: step.after?.filter((name) => steps.some((one) => one.name === name)) ?? [],
  })),
))
  ? 0
  : 1
