import { testJournal } from '../../testing/contracts/journal-contract.ts'
import { temporaryHome } from '../../testing/temporary-home.ts'
import { openSqliteJournal } from './open.ts'

testJournal('a journal on SQLite', async () => {
  const home = await temporaryHome()
  return { open: () => openSqliteJournal(home.path), remove: home.remove }
})
