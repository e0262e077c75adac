import { afterEach, beforeEach, expect } from 'vitest'
import type { Owner } from '../../ports/journal.ts'
import type { JournalPorts } from '../../ports/journal-ports.ts'

/** Where journals of several processes meet: a file, or an object. */
export interface JournalPlace {
  /** Another process's journal. To close it is the end of that process. */
  open(): Promise<JournalPorts>
  /** after all were closed */
  remove(): Promise<void>
}

/** Processes that own runs. */
export const owner: Owner = { host: 'here', pid: 7, bootId: 'boot' }
export const anyone: Owner = { host: 'there', pid: 8, bootId: 'boot' }

/** What a test works with. */
export interface Fixture extends JournalPorts {
  /** another process */
  another(): Promise<JournalPorts>
}

/** A fresh place for each test, and what is open there. */
export function useJournal(makePlace: () => Promise<JournalPlace>): () => Fixture {
  let place: JournalPlace | undefined
  let opened: JournalPorts[] = []
  const open = async (): Promise<JournalPorts> => {
    const journal = await (place as JournalPlace).open()
    opened.push(journal)
    return journal
  }
  beforeEach(async () => {
    place = await makePlace()
    await open()
  })
  afterEach(async () => {
    for (const { journal } of opened) await journal.close()
    opened = []
    await place?.remove()
  })
  return () => ({ ...(opened[0] as JournalPorts), another: open })
}

/** An error of the catalogue. */
export const code = (wanted: string) => expect.objectContaining({ code: wanted })
