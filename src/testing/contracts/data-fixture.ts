import { afterEach, beforeEach, expect } from 'vitest'
import type { DirRef } from '../../model/refs.ts'
import { FileRef } from '../../model/refs.ts'
import type { TreeEntry } from '../../model/tree.ts'
import type { DataPlane } from '../../ports/data.ts'

/** A world with files in it, in which data planes of several processes meet. */
export interface DataPlace {
  /** a directory of the user's, empty at first */
  readonly outside: string
  /** Another process's data plane. To close it is the end of that process. */
  open(): Promise<DataPlane>
  /** as a user or a task does it: with the directories above it; what is there is replaced, even where it is read only */
  write(path: string, text: string, executable?: boolean): void
  makeDirectory(path: string): void
  remove(path: string): void
  /** through whatever links lead there; undefined where no file is */
  read(path: string): string | undefined
  isDirectory(path: string): boolean
  dispose(): Promise<void>
}

export interface DataFixture {
  readonly data: DataPlane
  readonly place: DataPlace
  another(): Promise<DataPlane>
}

/** A fresh place for each test, and what is open there. */
export function useData(makePlace: () => Promise<DataPlace>): () => DataFixture {
  let place: DataPlace | undefined
  let opened: DataPlane[] = []
  const open = async (): Promise<DataPlane> => {
    const data = await (place as DataPlace).open()
    opened.push(data)
    return data
  }
  beforeEach(async () => {
    place = await makePlace()
    await open()
  })
  afterEach(async () => {
    for (const data of opened) await data.close()
    opened = []
    await place?.dispose()
  })
  return () => ({ data: opened[0] as DataPlane, place: place as DataPlace, another: open })
}

/** An error of the catalogue, with some of its details. */
export const failure = (code: string, details: Readonly<Record<string, unknown>> = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) })

export async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** What a directory holds, in short: path → content, `undefined` for an empty directory. */
export async function contents(data: DataPlane, dir: DirRef): Promise<Record<string, string | undefined>> {
  const all: Record<string, string | undefined> = {}
  for await (const entry of data.entries(dir))
    all[entry.path] = entry.kind === 'file' ? await textOf(data, dir, entry) : undefined
  return all
}

async function textOf(data: DataPlane, dir: DirRef, entry: TreeEntry): Promise<string> {
  const file = await data.fileAt(dir, entry.path)
  if (file === undefined) throw new Error(`${entry.path} is listed and not there`)
  return text(await data.readFile(file))
}

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
export const bytes = (content: string): Uint8Array => new TextEncoder().encode(content)

/** Writes files below a directory. A name that ends with `/` is an empty directory. */
export function plant(place: DataPlace, directory: string, files: Readonly<Record<string, string>>): string {
  place.makeDirectory(directory)
  for (const [path, content] of Object.entries(files)) {
    if (path.endsWith('/')) place.makeDirectory(`${directory}/${path.slice(0, -1)}`)
    else place.write(`${directory}/${path}`, content)
  }
  return directory
}

/** A directory of managed files. */
export async function managed(data: DataPlane, files: Readonly<Record<string, string>>): Promise<DirRef> {
  const entries: [string, FileRef][] = []
  for (const [path, content] of Object.entries(files)) {
    const name = path.slice(path.lastIndexOf('/') + 1)
    entries.push([path, await data.writeFile(name, bytes(content))])
  }
  return await data.assemble(entries)
}

/** The same without where it lies. */
export const plain = (ref: FileRef | DirRef): object => ({
  ...ref,
  at: undefined,
  ...(ref instanceof FileRef && { kind: 'file' }),
})
