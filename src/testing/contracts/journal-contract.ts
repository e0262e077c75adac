import { describe } from 'vitest'
import { testCache, testRemoval } from './journal-cache-contract.ts'
import { testCalls } from './journal-calls-contract.ts'
import { testCompact } from './journal-compact-contract.ts'
import { testDatasets } from './journal-datasets-contract.ts'
import { testDocuments } from './journal-documents-contract.ts'
import { testEntries } from './journal-entries-contract.ts'
import type { JournalPlace } from './journal-fixture.ts'
import { useJournal } from './journal-fixture.ts'
import { testLimits } from './journal-limits-contract.ts'
import { testPages } from './journal-lists-contract.ts'
import { testMessages } from './journal-messages-contract.ts'
import { testPeople } from './journal-people-contract.ts'
import { testOwnership, testRuns } from './journal-runs-contract.ts'
import { testWork } from './journal-work-contract.ts'

/** Registers the tests that every journal passes. */
export function testJournal(name: string, makePlace: () => Promise<JournalPlace>): void {
  describe(name, () => {
    const at = useJournal(makePlace)
    testRuns(at)
    testCalls(at)
    testPages(at)
    testCompact(at)
    testOwnership(at)
    testPeople(at)
    testMessages(at)
    testCache(at)
    testRemoval(at)
    testDatasets(at)
    testDocuments(at)
    testEntries(at)
    testWork(at)
    testLimits(at)
  })
}
