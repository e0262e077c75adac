import { chmodSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { testBlobs } from '../../testing/contracts/blob-contract.ts'
import { MemoryObjects } from '../../testing/memory/memory-objects.ts'
import { temporaryHome } from '../../testing/temporary-home.ts'
import { shard } from '../files/home.ts'
import { openParts } from '../parts.ts'
import { blobKey } from '../shared/layout.ts'
import { ObjectBlobs } from '../shared/object-blobs.ts'
import { stamped } from './stamp.ts'

testBlobs('blobs on a local disk', async () => {
  const home = await temporaryHome()
  const parts = await openParts(home.path, 1, Date.now)
  return {
    store: parts.store,
    async harm(digest) {
      const path = shard(parts.home.store, digest)
      chmodSync(path, 0o644)
      writeFileSync(path, other(readFileSync(path)))
      utimesSync(path, 1, stamped(digest, Date.now()))
    },
    async dispose() {
      await parts.pool.close()
      rmSync(`${home.path}/store`, { recursive: true })
      await home.remove()
    },
  }
})

testBlobs('blobs in a bucket in memory', async () => {
  const objects = new MemoryObjects()
  return {
    store: new ObjectBlobs(objects),
    async harm(digest) {
      const kept = objects.kept.get(blobKey(digest))
      if (kept !== undefined) objects.kept.set(blobKey(digest), { ...kept, bytes: other(kept.bytes) })
    },
    async dispose() {},
  }
})

/** As many bytes, but others. */
const other = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 1)
