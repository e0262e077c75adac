import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isAlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import type { TreeChange, TreeEntry } from '../../model/tree.ts'
import type { Made, TreeMaker } from './chunk.ts'
import { makeListing } from './chunk.ts'
import { diff } from './diff.ts'
import type { PathChange } from './edit.ts'
import { editTree } from './edit.ts'
import type { Entry, Listing } from './listing.ts'
import { parseListing } from './listing.ts'
import type { MapChange } from './map-plan.ts'
import { mapChange } from './map-plan.ts'
import { comparePaths } from './name.ts'
import type { Finding, Reading } from './reading.ts'
import { entryAt, walk } from './walk.ts'

const hash = (text: string): Digest => createHash('sha256').update(text).digest('hex')

/** Listings in memory, and which of them were read. */
class Shelf {
  readonly texts = new Map<Digest, string>()
  readonly #parsed = new Map<Digest, Listing>()
  reads = 0
  readonly maker: TreeMaker

  constructor(shape?: { readonly splitOver: number; readonly bits: number }) {
    const write = (digest: Digest, text: string) => this.texts.set(digest, text)
    this.maker = shape === undefined ? { hash, write } : { hash, write, shape }
    makeListing(this.maker, [])
  }

  read(digest: Digest): Listing {
    this.reads++
    const text = this.texts.get(digest)
    if (text === undefined) throw new Error(`${digest} was never written`)
    const listing = this.#parsed.get(digest) ?? parseListing(digest, text)
    this.#parsed.set(digest, listing)
    return listing
  }

  run<T>(reading: Reading<T>): T {
    let step = reading.next()
    while (!step.done) step = reading.next(this.read(step.value))
    return step.value
  }

  find<Item extends object, T>(finding: Finding<Item, T>): { items: Item[]; result: T } {
    const items: Item[] = []
    for (let step = finding.next(); ; ) {
      if (step.done) return { items, result: step.value }
      if (typeof step.value === 'string') step = finding.next(this.read(step.value))
      else {
        items.push(step.value)
        step = finding.next(undefined as never)
      }
    }
  }

  edit(base: Digest | undefined, changes: Iterable<readonly [string, PathChange]>): Made {
    return this.run(editTree(this.maker, base, changes))
  }

  walk(root: Digest): TreeEntry[] {
    return this.find(walk(root)).items
  }
}

/** The naive model: paths of files with their content, and of empty directories. */
type Model = ReadonlyMap<string, string>
const emptyDir = 'dir'

const fileEntry = (content: string): Omit<Entry, 'name'> => ({
  kind: 'file',
  executable: content.startsWith('#!'),
  digest: hash(content),
  size: content.length,
  files: 1,
})
const file = (content: string): PathChange => fileEntry(content)
const emptyDigest = hash('almanac-tree 1\n')
const empty: PathChange = { kind: 'dir', executable: false, digest: emptyDigest, size: 0, files: 0 }
const changeOf = (content: string | undefined): PathChange =>
  content === undefined ? undefined : content === emptyDir ? empty : file(content)

const modelEntries = (model: Model): TreeEntry[] =>
  [...model]
    .sort(([a], [b]) => comparePaths(a, b))
    .map(([path, content]) => ({
      path,
      kind: content === emptyDir ? ('empty-dir' as const) : ('file' as const),
      digest: content === emptyDir ? emptyDigest : hash(content),
      size: content === emptyDir ? 0 : content.length,
      executable: content.startsWith('#!'),
    }))

const above = (path: string): string[] => {
  const names = path.split('/')
  return names.slice(1).map((_, i) => names.slice(0, i + 1).join('/'))
}

/** One change of the model; undefined where it is refused. */
function changeModel(model: Model, path: string, content: string | undefined): Model | undefined {
  const next = new Map(model)
  if (content !== undefined && above(path).some((one) => model.has(one) && model.get(one) !== emptyDir))
    return undefined
  for (const one of model.keys()) if (one === path || one.startsWith(`${path}/`)) next.delete(one)
  if (content !== undefined) {
    for (const one of above(path)) next.delete(one)
    next.set(path, content)
  }
  return next
}

const names = fc.constantFrom(
  'a',
  'a.b',
  'a-',
  'ab',
  'B',
  'é',
  'e\u0301',
  '\u{1F600}',
  '\uFB01',
  ' ',
  'x\ny',
  'x\\ny',
  '\\',
  '%',
)
const paths = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const contents = fc.constantFrom('1', '22', '#!3', emptyDir)
const numbered = fc.nat({ max: 60 }).map((n) => `n${n}`)
const edits = fc.array(fc.tuple(fc.oneof(paths, numbered), fc.option(contents, { nil: undefined })), {
  maxLength: 80,
})

/** Cut early and often, so that a few dozen names have three levels. */
const small = { splitOver: 4, bits: 1 }

const modelOf = (list: readonly (readonly [string, string | undefined])[]): Model =>
  list.reduce<Model>((model, [path, content]) => changeModel(model, path, content) ?? model, new Map())
const build = (shelf: Shelf, model: Model): Made =>
  shelf.edit(
    undefined,
    [...model].map(([path, content]) => [path, changeOf(content)] as const),
  )

describe('trees', () => {
  it('list what was put in, in order of path, whatever the order it came in', () => {
    fc.assert(
      fc.property(edits, fc.nat(), (list, seed) => {
        const model = modelOf(list)
        const shelf = new Shelf(small)
        const made = build(shelf, model)
        expect(shelf.walk(made.digest)).toEqual(modelEntries(model))
        const shuffled = [...model].sort(([a], [b]) => (hash(a + seed) < hash(b + seed) ? -1 : 1))
        expect(build(shelf, new Map(shuffled))).toEqual(made)
        const files = modelEntries(model).filter((entry) => entry.kind === 'file')
        expect({ files: made.files, size: made.size }).toEqual({
          files: files.length,
          size: files.reduce((sum, entry) => sum + entry.size, 0),
        })
      }),
    )
  })

  it('are the same by edits as made at once', () => {
    fc.assert(
      fc.property(edits, (list) => {
        const shelf = new Shelf(small)
        let model: Model = new Map()
        let made = shelf.edit(undefined, [])
        for (const [path, content] of list) {
          const next = changeModel(model, path, content)
          if (next === undefined) {
            expect(() => shelf.edit(made.digest, [[path, changeOf(content)]])).toThrow(
              expect.objectContaining({ code: 'ALM_PATH_REFUSED' }),
            )
            continue
          }
          model = next
          made = shelf.edit(made.digest, [[path, changeOf(content)]])
        }
        expect(made).toEqual(build(shelf, model))
      }),
    )
  })

  it('are the same by many changes at once as by one after the other', () => {
    fc.assert(
      fc.property(
        edits,
        fc.uniqueArray(fc.tuple(numbered, fc.option(contents, { nil: undefined })), {
          selector: ([path]) => path,
          maxLength: 40,
        }),
        (list, batch) => {
          const shelf = new Shelf(small)
          const model = modelOf(list)
          const after = batch.reduce<Model>(
            (all, [path, content]) => changeModel(all, path, content) ?? all,
            model,
          )
          const edited = shelf.edit(
            build(shelf, model).digest,
            batch.map(([path, content]) => [path, changeOf(content)] as const),
          )
          expect(edited).toEqual(build(shelf, after))
        },
      ),
    )
  })

  it('differ by what the models differ by, in order of path', () => {
    fc.assert(
      fc.property(edits, edits, fc.boolean(), (list, more, related) => {
        const shelf = new Shelf(small)
        const before = modelOf(list)
        const after = related ? modelOf([...list, ...more.slice(0, 5)]) : modelOf(more)
        const changes = shelf.find(diff(build(shelf, before).digest, build(shelf, after).digest)).items
        const old = new Map(modelEntries(before).map((entry) => [entry.path, entry]))
        const now = new Map(modelEntries(after).map((entry) => [entry.path, entry]))
        const expected: TreeChange[] = [...new Set([...old.keys(), ...now.keys()])]
          .sort(comparePaths)
          .map((path) => ({ path, before: old.get(path), after: now.get(path) }))
          .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after))
          .map(({ path, before: b, after: a }) => ({ path, ...(b && { before: b }), ...(a && { after: a }) }))
        expect(changes).toEqual(expected)
      }),
    )
  })

  it('plan a map: what was added or changed is executed, what is gone is removed, the rest is carried', () => {
    fc.assert(
      fc.property(edits, edits, (list, more) => {
        const shelf = new Shelf(small)
        const filesOf = (model: Model) =>
          new Map(
            modelEntries(model)
              .filter((one) => one.kind === 'file')
              .map((one) => [one.path, one]),
          )
        const before = modelOf(list)
        const after = modelOf([...list, ...more.slice(0, 8)])
        const [old, now] = [filesOf(before), filesOf(after)]
        const base = build(shelf, before)
        const input = build(shelf, after)
        const changes = shelf
          .find(diff(base.digest, input.digest))
          .items.flatMap((change) => mapChange(change) ?? [])
        const expected: MapChange[] = [...new Set([...old.keys(), ...now.keys()])]
          .sort(comparePaths)
          .flatMap((path): MapChange[] => {
            const [was, is] = [old.get(path), now.get(path)]
            if (is === undefined) return was === undefined ? [] : [{ path, change: 'removed', entry: was }]
            if (was === undefined) return [{ path, change: 'added', entry: is }]
            return was.digest === is.digest && was.executable === is.executable
              ? []
              : [{ path, change: 'changed', entry: is }]
          })
        expect(changes).toEqual(expected)
        const executed = expected.filter((one) => one.change !== 'removed').map((one) => one.path)
        const carried = [...now.keys()].filter((path) => !executed.includes(path))
        expect(carried.length).toBe(input.files - executed.length)
        expect(carried.map((path) => old.get(path))).toEqual(carried.map((path) => now.get(path)))
      }),
    )
  })

  it('find what lies at a path', () => {
    fc.assert(
      fc.property(edits, paths, (list, path) => {
        const shelf = new Shelf(small)
        const model = modelOf(list)
        const entry = shelf.run(entryAt(build(shelf, model).digest, path.split('/')))
        const isDir =
          model.get(path) === emptyDir || [...model.keys()].some((one) => one.startsWith(`${path}/`))
        const kind = isDir ? 'dir' : model.has(path) ? 'file' : undefined
        expect(entry?.kind).toBe(kind)
        if (kind === 'file') expect(entry?.digest).toBe(hash(model.get(path) as string))
      }),
    )
  })

  it('refuse paths that are none', () => {
    const shelf = new Shelf()
    const table = [
      '',
      '/',
      'a//b',
      '/a',
      'a/',
      '.',
      '..',
      'a/../b',
      './a',
      'a\0b',
      '\ud800',
      'n'.repeat(256),
      'é'.repeat(128),
    ]
    for (const path of table) {
      expect(() => shelf.edit(undefined, [[path, file('1')]]), path).toThrow(
        expect.objectContaining({ code: 'ALM_PATH_REFUSED' }),
      )
    }
    for (const twice of [
      [
        ['a', file('1')],
        ['a', file('2')],
      ],
      [
        ['a', file('1')],
        ['a/b', file('2')],
      ],
    ] as const) {
      expect(() => shelf.edit(undefined, twice)).toThrow(
        expect.objectContaining({ code: 'ALM_PATH_REFUSED' }),
      )
    }
  })

  it('are walked as deep as a path can be, and refused below', () => {
    const shelf = new Shelf()
    const deep = shelf.edit(undefined, [[`${'d/'.repeat(511)}f`, file('1')]])
    expect(shelf.walk(deep.digest).map((entry) => entry.path.length)).toEqual([1023])
    const put = { kind: 'dir' as const, executable: false, ...deep }
    const deeper = shelf.edit(undefined, [[`${'e/'.repeat(2)}x`, put]])
    const refused = expect.objectContaining({ code: 'ALM_PATH_REFUSED' })
    expect(() => shelf.walk(deeper.digest)).toThrow(refused)
    expect(() => shelf.find(diff(undefined, deeper.digest))).toThrow(refused)
    expect(() => shelf.edit(undefined, [[`${'d/'.repeat(512)}f`, file('1')]])).toThrow(refused)
  })

  it('replace a file by a directory where the file is removed in the same edit', () => {
    const shelf = new Shelf()
    const base = shelf.edit(undefined, [['a', file('1')]])
    const edited = shelf.edit(base.digest, [
      ['a', undefined],
      ['a/b', file('2')],
    ])
    expect(edited).toEqual(shelf.edit(undefined, [['a/b', file('2')]]))
  })
})

describe('large directories', () => {
  const count = 20_000
  const shelf = new Shelf()
  const entries = Array.from({ length: count }, (_, i) => ({
    ...fileEntry(`${i}`),
    name: `scene-${String(i).padStart(7, '0')}.nc`,
  }))
  const made = makeListing(shelf.maker, entries)

  it('are cut, and an edit reads and writes a few parts of them', () => {
    const listings = shelf.texts.size
    expect(listings).toBeGreaterThan(count / 128)
    shelf.reads = 0
    const edited = shelf.edit(made.digest, [['scene-0007777.nc', file('changed')]])
    const rewritten = [...shelf.texts.values()].slice(listings)
    expect({ reads: shelf.reads < 10, listings: rewritten.length <= 4 }).toEqual({
      reads: true,
      listings: true,
    })
    expect(rewritten.join('').length).toBeLessThan(100_000)
    shelf.reads = 0
    expect(shelf.find(diff(made.digest, edited.digest)).items.map((change) => change.path)).toEqual([
      'scene-0007777.nc',
    ])
    expect(shelf.reads).toBeLessThan(12)
    expect(shelf.edit(edited.digest, [['scene-0007777.nc', file('7777')]])).toEqual(made)
  })

  it('become one listing again when enough is removed, and none at all', () => {
    const removals = entries.slice(0, count - 1000).map((entry) => [entry.name, undefined] as const)
    const rest = shelf.edit(made.digest, removals)
    expect(rest).toEqual(makeListing(shelf.maker, entries.slice(count - 1000)))
    expect(
      shelf.edit(
        made.digest,
        entries.map((entry) => [entry.name, undefined] as const),
      ).digest,
    ).toBe(emptyDigest)
  })

  it('are cut the same whether they grew or were made whole', () => {
    const half = shelf.edit(
      undefined,
      entries.filter((_, i) => i % 2 === 0).map((entry) => [entry.name, entry] as const),
    )
    const whole = shelf.edit(
      half.digest,
      entries.filter((_, i) => i % 2 === 1).map((entry) => [entry.name, entry] as const),
    )
    expect(whole).toEqual(made)
  })
})

describe('a listing', () => {
  it('has the text that the format says', () => {
    const shelf = new Shelf()
    const { digest } = shelf.edit(undefined, [
      ['b/c\nd', file('1')],
      ['a b', file('#!2')],
      ['e', empty],
      ['f\\', file('')],
    ])
    const text = shelf.texts.get(digest)?.replaceAll(/[0-9a-f]{64}/g, '…')
    expect(text).toBe('almanac-tree 1\nx … 3 a b\nd … 1 1 b\nd … 0 0 e\nf … 0 f\\\\\n')
    expect([...shelf.texts.values()].some((one) => one.endsWith(' 1 c\\nd\n'))).toBe(true)
  })

  it('is refused where it is damaged or forged', () => {
    const good = `f ${hash('')} 0`
    const table = [
      '',
      'almanac-tree 1',
      'almanac-tree 2\n',
      'almanac-tree 1 index 0\n',
      'almanac-tree 1 index 1\n',
      `almanac-tree 1\n${good} a`,
      `almanac-tree 1\n${good} b\n${good} a\n`,
      `almanac-tree 1\n${good} a\n${good} a\n`,
      `almanac-tree 1\n${good} ..\n`,
      `almanac-tree 1\n${good} a/b\n`,
      `almanac-tree 1\n${good} \n`,
      `almanac-tree 1\n${good} a\\x\n`,
      `almanac-tree 1\n${good} a\\\n`,
      `almanac-tree 1\nq ${hash('')} 0 a\n`,
      `almanac-tree 1\nf ${hash('').slice(1)}g 0 a\n`,
      `almanac-tree 1\nf ${hash('')} -1 a\n`,
      `almanac-tree 1\nf ${hash('')} 00 a\n`,
      `almanac-tree 1\nf ${hash('')} 99999999999999999 a\n`,
      `almanac-tree 1\nd ${hash('')} 0 a\n`,
      `almanac-tree 1 index 1\nn ${hash('')} 0 1 a\n`,
      '\n\n\n',
    ]
    for (const text of table) {
      expect(() => parseListing('d', text), text).toThrow(
        expect.objectContaining({ code: 'ALM_BLOB_DAMAGED' }),
      )
    }
  })

  it('is read, or refused with a code, whatever the bytes', () => {
    const letters = fc.constantFrom(
      'almanac-tree 1',
      ' index 1',
      '\n',
      'f ',
      'd ',
      'n ',
      hash(''),
      ' 0',
      ' 7',
      ' a',
      '\\',
      '\0',
    )
    fc.assert(
      fc.property(
        fc.array(letters).map((parts) => parts.join('')),
        (text) => {
          try {
            parseListing('d', text)
          } catch (error) {
            if (!isAlmanacError(error)) throw error
          }
        },
      ),
    )
  })
})

describe('names', () => {
  it('are in order of their UTF-8 bytes', () => {
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(text, text, (a, b) => {
        const byBytes = Buffer.compare(
          Buffer.from(a.replaceAll('/', '\0')),
          Buffer.from(b.replaceAll('/', '\0')),
        )
        if (!a.includes('\0') && !b.includes('\0')) expect(Math.sign(comparePaths(a, b))).toBe(byBytes)
      }),
    )
  })
})
