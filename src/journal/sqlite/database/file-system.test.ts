import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { refuseNetwork } from './file-system.ts'

const here = realpathSync(tmpdir())
const mount = (point: string, type: string) =>
  `36 35 98:0 / ${point} rw,noatime shared:1 - ${type} server:/export rw`
const root = mount('/', 'ext4')

const network = ['nfs', 'nfs4', 'cifs', 'smb3', '9p', 'lustre', 'ceph', 'fuse.sshfs', 'fuse.s3fs']

it.each(network)('refuses a folder on %s, and says so', (type) => {
  const expected = expect.objectContaining({ code: 'ALM_JOURNAL_NETWORK', details: { path: here, type } })
  expect(() => refuseNetwork(here, [root, mount(here, type)].join('\n'))).toThrow(expected)
})

it.each(['ext4', 'xfs', 'btrfs', 'tmpfs', 'overlay', 'fuseblk', 'fuse.mergerfs', 'apfs'])(
  'takes a folder on %s',
  (type) => {
    expect(() => refuseNetwork(here, [root, mount(here, type)].join('\n'))).not.toThrow()
  },
)

it('goes by the nearest mount, and by the last of several at one point', () => {
  expect(() => refuseNetwork(here, [mount('/', 'nfs4'), mount(here, 'ext4')].join('\n'))).not.toThrow()
  expect(() => refuseNetwork(here, [mount(here, 'ext4'), mount('/', 'nfs4')].join('\n'))).not.toThrow()
  expect(() => refuseNetwork(here, [mount(here, 'ext4'), mount(here, 'nfs4')].join('\n'))).toThrow()
  // a neighbour whose name only begins like it
  expect(() => refuseNetwork(here, [root, mount(here.slice(0, -1), 'nfs4')].join('\n'))).not.toThrow()
})

it('reads the mounts of this machine, and knows nothing where there are none', () => {
  expect(() => refuseNetwork(here)).not.toThrow()
  expect(() => refuseNetwork(here, '')).not.toThrow()
})
