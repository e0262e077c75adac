import { basename } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DirRef } from '../../model/refs.ts'
import type { Datasets } from '../../ports/datasets.ts'
import { memoryDatasets } from '../../testing/memory/memory-datasets.ts'
import { MemoryObjects } from '../../testing/memory/memory-objects.ts'
import { temporaryHome } from '../../testing/temporary-home.ts'
import { LocalDataPlane } from '../local-data-plane.ts'
import { withVersionFiles } from '../version-files.ts'
import { blobKey } from './layout.ts'
import { ObjectBlobs } from './object-blobs.ts'

/** What machines have in common. */
let bucket: MemoryObjects
let opened: { readonly close: () => Promise<void> }[] = []
const key = { environment: 'e', dataset: 'x', partition: '' }

beforeEach(() => {
  bucket = new MemoryObjects()
})
afterEach(async () => {
  for (const one of opened) await one.close()
  opened = []
})

/** A process that shows its datasets in the bucket. `own`: those of its machine. */
async function process(own: Datasets = memoryDatasets()) {
  const { path, remove } = await temporaryHome()
  const objects = new MemoryObjects(bucket.kept)
  const shared = new ObjectBlobs(objects)
  const data = new LocalDataPlane({ home: `${path}/.almanac`, data: `${path}/data`, threads: 1, shared })
  opened.push({
    close: async () => {
      await data.close()
      await remove()
    },
  })
  const work: Promise<void>[] = []
  const datasets = withVersionFiles(own, path, {
    objects,
    push: (dirs) => data.push(dirs),
    show: (...what) => data.showObjects(...what),
    inBackground: (one) => {
      const begun = one()
      begun.catch(() => undefined)
      work.push(begun)
    },
  })
  const settled = async () => {
    for (const one of work.splice(0)) await one
  }
  let calls = 0
  const add = async (files: Record<string, string>, more: object = {}) => {
    const dir = await tree(data, files)
    const { digest, entries, size } = dir
    const made = { ...key, digest, entries, size, kept: false, maker: 'publish', madeAt: 1 }
    await datasets.add({ ...made, run: 'r', call: calls++, ...more })
    return dir
  }
  const publish = async (files: Record<string, string>, more: object = {}) => {
    const dir = await add(files, more)
    await settled()
    return dir
  }
  return { objects, data, datasets, settled, add, publish }
}

async function tree(data: LocalDataPlane, files: Record<string, string>): Promise<DirRef> {
  const refs = Object.entries(files).map(
    async ([path, text]) => [path, await data.writeFile(basename(path), Buffer.from(text))] as const,
  )
  return await data.assemble(await Promise.all(refs))
}

const folder = 'plain/e/x/'
const state = 'plain/e/x.almanac.json'

const shown = () =>
  Object.fromEntries(
    [...bucket.kept]
      .filter(([name]) => name.startsWith(folder))
      .map(([name, { bytes }]) => [name.slice(folder.length), Buffer.from(bytes).toString()]),
  )

const said = (): unknown => {
  const kept = bucket.kept.get(state)
  return kept && JSON.parse(Buffer.from(kept.bytes).toString())
}

/** As if the process were killed at such a request: it, and all after it, do nothing. */
function killAt(objects: MemoryObjects, isIt: (kind: string, name: string) => boolean) {
  let killed = false
  objects.onRequest = (kind, name) => {
    killed ||= isIt(kind, name)
    if (killed) throw new Error('killed')
  }
}

describe('plain files of a dataset in a bucket', () => {
  it.each([
    ['before the last file', (kind: string, name: string) => kind === 'put' && name === `${folder}h`],
    ['before what is gone was removed', (kind: string) => kind === 'remove'],
    [
      'before it said that all is shown',
      (() => {
        let times = 0
        return (kind: string, name: string) => kind === 'put' && name === state && ++times === 2
      })(),
    ],
  ])('are the newest version after a process was killed %s', async (_when, isIt) => {
    const own = memoryDatasets()
    const first = await process(own)
    await first.publish({ f: 'one', g: 'same', old: 'only in the first' })
    killAt(first.objects, isIt)
    await expect(first.publish({ f: 'two', g: 'same', h: 'only in the second' })).rejects.toThrow('killed')
    const second = await process(own)
    const newest = await second.publish({ f: 'one', g: 'new' }, { call: 9 })
    expect(shown()).toEqual({ f: 'one', g: 'new' })
    expect(said()).toEqual({ format: 1, digest: newest.digest })
  })

  it.each(['', 'sub/'])('are the newest version where the one before (its %s) is gone', async (sub) => {
    const first = await process()
    const before = await first.publish({ 'sub/f': 'one', 'sub/old': 'old' })
    const below = await tree(first.data, { f: 'one', old: 'old' })
    bucket.kept.delete(blobKey(sub === '' ? before.digest : below.digest))
    const second = await process()
    await second.publish({ 'sub/f': 'two' })
    expect(shown()).toEqual({ 'sub/f': 'two' })
  })

  it('stay those of the newest version when an earlier one is found again', async () => {
    const { publish } = await process()
    await publish({ f: 'first' }, { run: 'r1', call: 3 })
    await publish({ f: 'second' }, { run: 'r2', call: 3 })
    await publish({ f: 'first' }, { run: 'r1', call: 3 })
    expect(shown()).toEqual({ f: 'second' })
  })

  it('are those of the version before when the newest is removed, and none when all are', async () => {
    const { publish, datasets, settled } = await process()
    await publish({ f: 'first' })
    await publish({ f: 'second', g: 'more' })
    await datasets.remove(key, [2], 5)
    await settled()
    expect(shown()).toEqual({ f: 'first' })
    await datasets.remove(key, undefined, 5)
    await settled()
    expect([shown(), said()]).toEqual([{}, undefined])
  })

  it('are none when the newest version lies with the user', async () => {
    const { publish } = await process()
    await publish({ f: 'first' })
    await publish({ f: 'second' }, { at: '/home/me/season' })
    expect([shown(), said()]).toEqual([{}, undefined])
  })

  it('stay where another machine has shown its own since', async () => {
    const [first, second] = [await process(), await process()]
    await first.publish({ f: 'of the first' })
    await second.publish({ f: 'of the second' })
    await first.datasets.remove(key, undefined, 5)
    await first.settled()
    expect(shown()).toEqual({ f: 'of the second' })
  })

  it('are sent no more than what has changed, and not at all where nothing has', async () => {
    const { publish, objects } = await process()
    await publish({ f: 'one', g: 'same' })
    const puts: string[] = []
    objects.onRequest = (kind, name) => void (kind === 'put' && name.startsWith('plain/') && puts.push(name))
    await publish({ f: 'two', g: 'same' })
    await publish({ f: 'two', g: 'same' }, { call: 1 })
    expect(puts).toEqual([state, `${folder}f`, state])
  })

  it.each([
    ['of one machine', true],
    ['of two machines', false],
  ])('are one whole version when two processes %s show at once', async (_whose, together) => {
    const own = memoryDatasets()
    const [slow, fast] = [await process(own), await process(together ? own : memoryDatasets())]
    const versions = [
      { f: 'slow', g: 'slow', only: 'in the slow one' },
      { f: 'fast', g: 'fast' },
    ] as const
    // the slow one is stopped after its first file until the fast one has shown all
    const stopped = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    slow.objects.onRequest = async (kind, name) => {
      if (kind !== 'put' || name === `${folder}f` || !name.startsWith(folder)) return
      stopped.resolve()
      await go.promise
    }
    await slow.add(versions[0])
    await stopped.promise
    await fast.publish(versions[1], { call: 7 })
    go.resolve()
    await slow.settled()
    const last = together ? versions[1] : versions[0]
    expect(shown()).toEqual(last)
    expect(said()).toEqual({ format: 1, digest: (await tree(fast.data, last)).digest })
  })

  it('are shown anew by the one that began last, where another ended while it went on', async () => {
    const [first, last] = [await process(), await process()]
    const [stopped, go, stoppedToo, goToo] = [0, 1, 2, 3].map(() => Promise.withResolvers<void>())
    first.objects.onRequest = async (kind, name) => {
      if (kind !== 'put' || name !== `${folder}g`) return
      stopped?.resolve()
      await go?.promise
    }
    last.objects.onRequest = async (kind, name) => {
      if (kind !== 'put' || name !== `${folder}h`) return
      stoppedToo?.resolve()
      await goToo?.promise
    }
    await first.add({ f: 'first', g: 'first' })
    await stopped?.promise
    await last.add({ f: 'last', g: 'last', h: 'last' })
    await stoppedToo?.promise
    go?.resolve()
    await first.settled()
    expect(said()).toMatchObject({ by: expect.any(String) })
    goToo?.resolve()
    await last.settled()
    expect(shown()).toEqual({ f: 'last', g: 'last', h: 'last' })
    expect(said()).toEqual({ format: 1, digest: expect.any(String) })
  })

  /** Stops before it writes each of these, until it is let go on. `atEnd`: what it says of itself the second time. */
  const stops = ({ objects }: { objects: MemoryObjects }, ...keys: readonly string[]) => {
    const gates = keys.map((key) => ({
      key,
      ...Promise.withResolvers<void>(),
      stopped: Promise.withResolvers<void>(),
    }))
    let said = 0
    objects.onRequest = async (kind, name) => {
      if (kind !== 'put') return
      if (name.startsWith('plain/e/x.almanac')) said++
      const gate = gates.find(({ key }) => (said === 2 ? key === 'atEnd' : name === `${folder}${key}`))
      gate?.stopped.resolve()
      await gate?.promise
    }
    return gates.map(({ stopped, resolve }) => ({ stopped: stopped.promise, goOn: resolve }))
  }
  const versions = [
    { f: 'first', g: 'first' },
    { f: 'last', g: 'last', h: 'last' },
  ] as const

  it('are shown anew by one that met nobody at its end, where another ended before it said so', async () => {
    const [first, last] = [await process(), await process()]
    const [firstG] = stops(first, 'g')
    const [lastAtEnd] = stops(last, 'atEnd')
    await first.add(versions[0])
    await firstG?.stopped
    await last.add(versions[1])
    await lastAtEnd?.stopped
    firstG?.goOn()
    await first.settled()
    expect(shown()).toEqual({ ...versions[1], g: 'first' })
    lastAtEnd?.goOn()
    await last.settled()
    expect(shown()).toEqual(versions[1])
    expect(said()).toEqual({ format: 1, digest: (await tree(last.data, versions[1])).digest })
  })

  it('are shown anew by one that left it to another, where that ended before it was told', async () => {
    const [first, last] = [await process(), await process()]
    const [firstG, firstAtEnd] = stops(first, 'g', 'atEnd')
    const [lastH] = stops(last, 'h')
    await first.add(versions[0])
    await firstG?.stopped
    await last.add(versions[1])
    await lastH?.stopped
    firstG?.goOn()
    await firstAtEnd?.stopped
    lastH?.goOn()
    await last.settled()
    expect(shown()).toEqual({ ...versions[1], g: 'first' })
    firstAtEnd?.goOn()
    await first.settled()
    expect(shown()).toEqual(versions[0])
    expect(said()).toEqual({ format: 1, digest: (await tree(first.data, versions[0])).digest })
  })
})
