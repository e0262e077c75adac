import { describe } from 'vitest'
import { acrossTests } from './contract-across.ts'
import { callTests } from './contract-calls.ts'
import { containerTests } from './contract-containers.ts'
import { editTests } from './contract-edits.ts'
import { failureTests } from './contract-failures.ts'
import { waitingTests } from './contract-waiting.ts'
import type { Language } from './rig.ts'
import { openStage, type Stage } from './stage.ts'

/**
 * Registers the tests that every host of workflow functions passes: the same programs, in the host's language, have the
 * same calls, the same outcomes and the same answers to edits, failures and interruptions.
 */
export function workflowHostContract(language: Language, style: Stage['style'] = 'async'): void {
  describe(`${language}, ${style}: the contract of hosts of workflow functions`, () => {
    const stage = openStage(language, style)
    callTests(stage)
    containerTests(stage)
    editTests(stage)
    failureTests(stage)
    waitingTests(stage)
    acrossTests(stage)
  })
}
