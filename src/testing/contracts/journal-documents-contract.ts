import { expect, it } from 'vitest'
import { type DocumentVersion, keptVersions } from '../../model/document.ts'
import type { DocumentWrite } from '../../ports/documents.ts'
import { aDigest, aRun } from '../journal-records.ts'
import type { Fixture } from './journal-fixture.ts'
import { code, owner } from './journal-fixture.ts'

const key = { environment: 'main', scope: 'workflow:imaging', name: 'calibration' }

const aWrite = (json: string, more: Partial<DocumentWrite> = {}): DocumentWrite => ({
  ...key,
  json,
  maker: 'put',
  madeAt: 5,
  ...more,
})

const texts = (versions: readonly DocumentVersion[]): string[] =>
  versions.map(({ version, json }) => `${version} ${json}`)

/** Documents and their versions. */
export function testDocuments(at: () => Fixture): void {
  it('numbers versions of a document, and gives them back as they were written', async () => {
    const { documents, another } = at()
    const mine = { run: 'run1', call: 3 }
    const first = await documents.write(aWrite('{"a":1}', { ...mine, fingerprint: aDigest('f'), seen: 0 }))
    expect(first).toEqual({ ...aWrite('{"a":1}'), ...mine, version: 1 })
    const other = (await another()).documents
    const second = await other.write(aWrite('{"a":2}', { seen: 1, maker: 'context set' }))
    expect(second).toEqual({ ...aWrite('{"a":2}'), maker: 'context set', version: 2 })
    expect(await documents.version(key)).toEqual(second)
    expect(await documents.version(key, 1)).toEqual(first)
    expect(await documents.version(key, 3)).toBeUndefined()
    for (const stranger of [{ environment: 'test' }, { scope: 'project:imaging' }, { name: 'other' }])
      expect(await documents.version({ ...key, ...stranger })).toBeUndefined()
    expect(await documents.versions(key, { limit: 9 })).toEqual([second, first])
    expect(texts(await documents.versions(key, { limit: 9, before: 2 }))).toEqual(['1 {"a":1}'])
    expect(texts(await documents.versions(key, { limit: 1 }))).toEqual(['2 {"a":2}'])
  })

  it('refuses a write upon a version that is not the newest, and says who wrote that', async () => {
    const { documents, another } = at()
    await documents.write(aWrite('1'))
    const other = (await another()).documents
    const both = await Promise.allSettled([
      documents.write(aWrite('2', { seen: 1 })),
      other.write(aWrite('3', { seen: 1 })),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find(({ status }) => status === 'rejected')).toEqual({
      status: 'rejected',
      reason: expect.objectContaining({
        code: 'ALM_CONTEXT_MOVED',
        message:
          'Document workflow:imaging/calibration is at version 2 (written by put), not at 1 as it was when it was read.',
      }),
    })
    await expect(documents.write(aWrite('4', { seen: 0 }))).rejects.toEqual(code('ALM_CONTEXT_MOVED'))
    expect(await documents.write(aWrite('5'))).toMatchObject({ version: 3 })
  })

  it('writes once what a call writes, and lets a run go on from its own versions', async () => {
    const { documents } = at()
    const mine = { run: 'run1', call: 4, fingerprint: aDigest('f'), seen: 0 }
    const first = await documents.write(aWrite('1', mine))
    expect(await documents.write(aWrite('1', { ...mine, madeAt: 9 }))).toEqual(first)
    // an edited call has another fingerprint
    expect(await documents.write(aWrite('2', { ...mine, fingerprint: aDigest('g') }))).toMatchObject({
      version: 2,
    })
    await documents.write(aWrite('3'))
    await expect(documents.write(aWrite('4', { ...mine, call: 5 }))).rejects.toEqual(
      code('ALM_CONTEXT_MOVED'),
    )
    // what it wrote once it is not to write again, whatever came since
    expect(await documents.write(aWrite('1', mine))).toEqual(first)
    expect(texts(await documents.versions(key, { limit: 9 }))).toEqual(['3 3', '2 2', '1 1'])
  })

  it('makes no version of what is there already', async () => {
    const { documents } = at()
    const first = await documents.write(aWrite('1'))
    expect(await documents.write(aWrite('1', { maker: 'again', seen: 1 }))).toEqual(first)
    expect((await documents.write(aWrite('2'))).version).toBe(2)
    expect((await documents.write(aWrite('1'))).version).toBe(3)
  })

  it('lists the newest versions of an environment by scope and name, page by page', async () => {
    const { documents } = at()
    await documents.write(aWrite('1'))
    const newest = await documents.write(aWrite('2'))
    const beam = await documents.write(aWrite('3', { name: 'beam' }))
    const shared = await documents.write(aWrite('4', { scope: 'project:alma' }))
    await documents.write(aWrite('5', { environment: 'test' }))
    expect(await documents.list('main', { limit: 9 })).toEqual([shared, beam, newest])
    expect(await documents.list('main', { limit: 1 })).toEqual([shared])
    expect(await documents.list('main', { limit: 9, after: shared })).toEqual([beam, newest])
    expect(await documents.list('main', { limit: 9, after: beam })).toEqual([newest])
    expect(await documents.list('other', { limit: 9 })).toEqual([])
  })

  it('removes the documents of a run with it, and no others', async () => {
    const { documents, journal, records } = at()
    await journal.create(aRun('done'))
    const claim = await journal.claim('done', owner)
    await journal.append('done', [{ kind: 'run', state: 'succeeded', at: 9 }])
    await claim?.release()
    await documents.write(aWrite('1', { scope: 'run:done' }))
    await documents.write(aWrite('2', { scope: 'run:done2' }))
    await documents.write(aWrite('3', { run: 'done', call: 1 }))
    await records.remove('done')
    expect((await documents.list('main', { limit: 9 })).map(({ json }) => json)).toEqual(['2', '3'])
  })

  it('keeps the newest versions of a document that is written again and again', async () => {
    const { documents } = at()
    for (let n = 1; n <= keptVersions + 2; n++) await documents.write(aWrite(`${n}`))
    expect(await documents.version(key, 2)).toBeUndefined()
    expect(await documents.version(key, 3)).toMatchObject({ json: '3' })
    expect(await documents.version(key)).toMatchObject({ version: keptVersions + 2 })
  })
}
