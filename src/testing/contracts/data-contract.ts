import { describe } from 'vitest'
import type { DataPlace } from './data-fixture.ts'
import { useData } from './data-fixture.ts'
import { testInputs } from './data-inputs-contract.ts'
import { testOutputs } from './data-outputs-contract.ts'

/** Registers the tests that every data plane passes. */
export function testData(name: string, makePlace: () => Promise<DataPlace>): void {
  describe(name, () => {
    const at = useData(makePlace)
    testInputs(at)
    testOutputs(at)
  })
}
