/** A file in memory. */
export interface MemoryFile {
  readonly bytes: Uint8Array
  readonly executable: boolean
}

/** Files and directories in memory by absolute path, as far as a fake data plane needs a file system. */
export class MemoryFiles {
  readonly #files = new Map<string, MemoryFile>()
  readonly #directories = new Set<string>()
  /** what stands in for symlinks: path → what it shows */
  readonly #links = new Map<string, string>()

  write(path: string, bytes: Uint8Array, executable = false): void {
    this.makeDirectory(parentOf(path))
    this.#files.set(path, { bytes, executable })
  }

  makeDirectory(path: string): void {
    for (let at = path; at !== ''; at = parentOf(at)) this.#directories.add(at)
  }

  link(path: string, target: string): void {
    this.makeDirectory(parentOf(path))
    this.#links.set(path, target)
  }

  linkAt(path: string): string | undefined {
    return this.#links.get(path)
  }

  file(path: string): MemoryFile | undefined {
    return this.#files.get(this.#follow(path))
  }

  isDirectory(path: string): boolean {
    return this.#directories.has(this.#follow(path))
  }

  isThere(path: string): boolean {
    return this.file(path) !== undefined || this.isDirectory(path)
  }

  /** Files, and directories without any (undefined), below a directory, by path within it, in no order. */
  *below(directory: string): Generator<readonly [path: string, file: MemoryFile | undefined]> {
    const prefix = `${this.#follow(directory)}/`
    const occupied = new Set<string>()
    for (const [path, file] of this.#files) {
      if (!path.startsWith(prefix)) continue
      for (let at = parentOf(path); at.startsWith(prefix); at = parentOf(at)) occupied.add(at)
      yield [path.slice(prefix.length), file]
    }
    for (const path of this.#links.keys()) {
      const file = path.startsWith(prefix) ? this.file(path) : undefined
      if (file === undefined) continue
      occupied.add(parentOf(path))
      yield [path.slice(prefix.length), file]
    }
    for (const path of this.#directories) {
      const parent = parentOf(path)
      if (path.startsWith(prefix)) occupied.add(parent)
    }
    for (const path of this.#directories) {
      if (path.startsWith(prefix) && !occupied.has(path)) yield [path.slice(prefix.length), undefined]
    }
  }

  /** With all below it. */
  remove(path: string): void {
    this.#links.delete(path)
    this.#files.delete(path)
    this.#directories.delete(path)
    for (const map of [this.#files, this.#directories, this.#links]) {
      for (const one of map.keys()) if (one.startsWith(`${path}/`)) map.delete(one)
    }
  }

  #follow(path: string): string {
    for (const [link, target] of this.#links) {
      // a shown directory may hold links itself
      if (path === link || path.startsWith(`${link}/`)) return this.#follow(target + path.slice(link.length))
    }
    return path
  }
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))
