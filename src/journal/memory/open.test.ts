import { testJournal } from '../../testing/contracts/journal-contract.ts'
import { openMemoryJournal } from './open.ts'
import { memoryStore } from './store.ts'

testJournal('a journal in memory', async () => {
  const store = memoryStore()
  return {
    open: async () => openMemoryJournal(store),
    remove: async () => store.runs.clear(),
  }
})
