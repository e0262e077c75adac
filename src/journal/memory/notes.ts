import type { Note, PartsRecord } from '../../model/records.ts'
import type { NoteQuery } from '../../ports/journal.ts'
import type { MemoryStore, RunMemory } from './store.ts'

export function addNote(store: MemoryStore, run: RunMemory, record: Note): void {
  store.seq++
  run.notes.push({ ...record, seq: store.seq })
}

export function listNotes(run: RunMemory, query: NoteQuery): (Note & { readonly seq: number })[] {
  const { call, ofCalls, type, after, limit } = query
  return run.notes
    .filter(
      (note) =>
        (call === undefined || note.call === call) &&
        (ofCalls !== false || note.call === undefined) &&
        (type === undefined || note.type === type) &&
        (after === undefined || note.seq > after),
    )
    .slice(0, limit)
    .map((note) => ({ ...note }))
}

export function setParts(run: RunMemory, record: PartsRecord): void {
  const before = run.parts.get(record.call)
  // those that it had before an edit stay, for `why`
  const beforeWire = before?.fingerprint === record.fingerprint ? before.beforeWire : before?.partsWire
  run.parts.set(record.call, { ...record, ...(beforeWire !== undefined && { beforeWire }) })
}
