import type { Note, PartsRecord } from '../../model/records.ts'
import type { ListedNote, NoteQuery } from '../../ports/journal.ts'
import type { MemoryStore, RunMemory } from './store.ts'

export function addNote(store: MemoryStore, run: RunMemory, record: Note): void {
  store.seq++
  run.notes.push({ ...record, seq: store.seq })
}

export function listNotes(run: RunMemory, query: NoteQuery): ListedNote[] {
  const { call, ofCalls, type, after, newestOfEach, limit } = query
  const found = run.notes.filter(
    (note) =>
      (call === undefined || note.call === call) &&
      (ofCalls !== false || note.call === undefined) &&
      (type === undefined || note.type === type) &&
      (after === undefined || note.seq > after),
  )
  return (newestOfEach === true ? newest(found) : found).slice(0, limit).map((note) => ({ ...note }))
}

function newest(notes: readonly ListedNote[]): ListedNote[] {
  const found = new Map<string, ListedNote>()
  for (const note of notes) found.set(note.name, { ...note, count: (found.get(note.name)?.count ?? 0) + 1 })
  return [...found.values()].sort((a, b) => a.seq - b.seq)
}

export function setParts(run: RunMemory, record: PartsRecord): void {
  const before = run.parts.get(record.call)
  // those that it had before an edit stay, for `why`
  const beforeWire = before?.fingerprint === record.fingerprint ? before.beforeWire : before?.partsWire
  run.parts.set(record.call, { ...record, ...(beforeWire !== undefined && { beforeWire }) })
}
