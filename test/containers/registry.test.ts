import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Containers } from '../../src/executors/container/containers.ts'
import { testSettings } from '../../src/executors/container/rig.ts'
import { openRegistry, type Registry } from './registry.ts'

let folder: string
let registry: Registry

const { why } = testSettings

const tests = (): void => {
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'registry-'))
    registry = await openRegistry(folder)
    // this one has no certificate
    const host = registry.name.replace(/\/.*/, '')
    writeFileSync(join(folder, 'registries.conf'), `[[registry]]\nlocation = "${host}"\ninsecure = true\n`)
    vi.stubEnv('CONTAINERS_REGISTRIES_CONF', join(folder, 'registries.conf'))
  })

  afterEach(async () => {
    vi.unstubAllEnvs()
    await registry.close()
    rmSync(folder, { recursive: true })
  })

  /** As another process would see it. */
  const images = (say?: (text: string) => void) =>
    new Containers({ ...testSettings, ...(say !== undefined && { say }) }).images

  it('pulls an image that is not here, once, and says so', async () => {
    registry.push('1', 'first')
    const image = `${registry.name}:1`
    const said: string[] = []
    const id = await images((text) => said.push(text)).id({ image, pull: 'missing' })
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(said[0]).toMatch(/^pulling the image localhost:\d+\/tools\/gdal:1 by /)
    const before = registry.asked.length
    expect(await images().id({ image, pull: 'missing' })).toBe(id)
    expect(registry.asked).toHaveLength(before)
  })

  it('sees that a tag has moved where it is to ask always', async () => {
    registry.push('1', 'first')
    const image = `${registry.name}:1`
    const first = await images().identity({ image, pull: 'always' })
    registry.push('1', 'second')
    expect(await images().identity({ image, pull: 'missing' })).toBe(first)
    expect(await images().identity({ image, pull: 'always' })).not.toBe(first)
  })

  it('pulls a digest when a container is to be started, whatever its tag means now', async () => {
    const digest = registry.push('1', 'first')
    registry.push('1', 'second')
    const image = `${registry.name}@${digest}`
    expect(await images().identity({ image, pull: 'missing' })).toBe(`${digest} ${process.arch}`)
    expect(registry.asked).toEqual([])
    expect(await images().id({ image, pull: 'missing' })).toMatch(/^sha256:/)
    expect(registry.asked).toContain(`/v2/tools/gdal/manifests/${digest}`)
  })

  it('tells an image that there is not from a registry that does not answer', async () => {
    const image = `${registry.name}:9`
    await expect(images().id({ image, pull: 'missing' })).rejects.toMatchObject({
      code: 'ALM_IMAGE_MISSING',
      message: expect.stringContaining('manifest unknown'),
    })
    const none = 'localhost:1/tools/gdal:9'
    await expect(images().id({ image: none, pull: 'missing' })).rejects.toMatchObject({
      code: 'ALM_IMAGE_PULL',
    })
  })
}

if (why === undefined) describe('images of a registry', tests)
else
  it(`images of a registry are not tested here: ${why}`, () => {
    expect(process.env['ALMANAC_TEST_CONTAINERS'], why).not.toBe('1')
  })
