import { readFileSync, realpathSync } from 'node:fs'
import { AlmanacError } from '../../../model/errors.ts'

/**
 * File systems over a network: their locks are advisory between machines at best, and their shared memory is not
 * shared at all, so two processes would write one WAL over each other without an error.
 */
const network =
  /^(nfs\d?|cifs|smb\d?|smbfs|9p|lustre|ceph|afs|gpfs|beegfs|glusterfs|ncpfs|coda|orangefs|pvfs2|davfs|prl_fs|vboxsf|fuse\.(sshfs|smbnetfs|s3fs|gcsfuse|goofys|rclone|glusterfs|ceph-fuse|ceph|davfs2?|curlftpfs|blobfuse2?|juicefs|mount-s3|nfs.*|seaweedfs|beegfs.*|cvmfs.*|gpfs|afp.*))$/

/** @throws ALM_JOURNAL_NETWORK where `folder`, which exists, lies on a network file system */
export function refuseNetwork(folder: string, mounts: string = readMounts()): void {
  const real = realpathSync(folder)
  const type = /^(\\\\|\/\/)[^\\/]/.test(real) ? 'UNC' : fileSystemType(real, mounts)
  if (type === 'UNC' || (type !== undefined && network.test(type))) {
    throw new AlmanacError('ALM_JOURNAL_NETWORK', { path: folder, type })
  }
}

/** Linux only; elsewhere nothing is known, and nothing refused. */
function readMounts(): string {
  if (process.platform !== 'linux') return ''
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8')
  } catch {
    // a container may hide it: then as elsewhere
    return ''
  }
}

/** Type of the file system that a path lies on, from the text of `/proc/self/mountinfo`. */
function fileSystemType(path: string, mounts: string): string | undefined {
  let found: { readonly point: string; readonly type: string } | undefined
  for (const line of mounts.split('\n')) {
    const [before, after] = line.split(' - ')
    const point = before
      ?.split(' ')[4]
      ?.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))
    const type = after?.split(' ')[0]
    if (point === undefined || type === undefined) continue
    const holds = point === '/' || path === point || path.startsWith(`${point}/`)
    // a later mount at the same point hides the earlier one
    if (holds && (found === undefined || point.length >= found.point.length)) found = { point, type }
  }
  return found?.type
}
