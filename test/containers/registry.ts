import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { testSettings } from '../../src/executors/container/rig.ts'
import { testImage } from '../../src/executors/container/test-body.ts'

/** A registry of one repository, as far as pulling goes, with images that the container program wrote down. */
export interface Registry {
  /** `localhost:1234/tools/gdal` */
  readonly name: string
  /** what was asked for, a line each */
  readonly asked: string[]
  /** Puts an image that differs by this label at a tag; gives its digest. */
  push(tag: string, label: string): string
  close(): Promise<void>
}

const [program = '', ...own] = testSettings.program
const client = (...words: string[]): string =>
  execFileSync(program, [...own, ...words], { encoding: 'utf8', stdio: 'pipe' })

const manifestType = 'application/vnd.oci.image.manifest.v1+json'

export async function openRegistry(folder: string): Promise<Registry> {
  const blobs = new Map<string, Buffer>()
  const tags = new Map<string, string>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    const [, kind, reference = ''] = /\/(manifests|blobs)\/([^/]+)$/.exec(path) ?? []
    const digest = tags.get(reference) ?? reference
    const blob = blobs.get(digest)
    if (path === '/v2/') response.end('{}')
    else if (kind === undefined || blob === undefined) {
      response.statusCode = 404
      response.end(JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] }))
    } else {
      response.setHeader('content-type', kind === 'manifests' ? manifestType : 'application/octet-stream')
      response.setHeader('content-length', blob.length)
      response.setHeader('docker-content-digest', digest)
      response.end(request.method === 'HEAD' ? undefined : blob)
    }
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const name = `localhost:${(server.address() as AddressInfo).port}/tools/gdal`
  return {
    name,
    asked,
    push: (tag, label) => {
      const manifest = written(join(folder, label), label)
      for (const [digest, blob] of manifest.blobs) blobs.set(digest, blob)
      tags.set(tag, manifest.digest)
      return manifest.digest
    },
    close: async () => {
      const pulled = client('images', '-q', name).split('\n').filter(Boolean)
      if (pulled.length > 0) client('rmi', '-f', ...new Set(pulled))
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

/** An image as files, removed from where it was made. */
function written(folder: string, label: string): { digest: string; blobs: Map<string, Buffer> } {
  const image = `localhost/almanac-pushed-${label}:1`
  mkdirSync(folder)
  writeFileSync(join(folder, 'Containerfile'), `FROM ${testImage}\nLABEL which=${label}\n`)
  client('build', '-q', '-t', image, folder)
  client('save', '-q', '--format', 'oci-dir', '-o', join(folder, 'image'), image)
  client('rmi', image)
  const read = (digest: string): Buffer => readFileSync(join(folder, 'image', 'blobs', ...digest.split(':')))
  const index = JSON.parse(readFileSync(join(folder, 'image', 'index.json'), 'utf8')) as {
    readonly manifests: readonly { readonly digest: string }[]
  }
  const digest = index.manifests[0]?.digest ?? ''
  const { config, layers } = JSON.parse(read(digest).toString()) as {
    readonly config: { readonly digest: string }
    readonly layers: readonly { readonly digest: string }[]
  }
  const digests = [digest, config.digest, ...layers.map((layer) => layer.digest)]
  const blobs = new Map(digests.map((one) => [one, read(one)]))
  for (const [one, blob] of blobs)
    if (`sha256:${createHash('sha256').update(blob).digest('hex')}` !== one) throw new Error(`${one} is torn`)
  return { digest, blobs }
}
