import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect, it } from 'vitest'
import { SharedFiles } from './shared-files.ts'

it('only what dead hosts of this machine left, since it was started, is swept from a directory that machines share', () => {
  const directory = mkdtempSync(join(tmpdir(), 'shared-'))
  try {
    const mine = new SharedFiles(directory, directory)
    const other = new SharedFiles(directory, directory, 'boot of another machine')
    /** as of a process that ended before anything else began */
    const left = ({ prefix }: SharedFiles): string =>
      `${basename(prefix).replace(/-\d+-\d+-\d+$/, '-1-1-1')}-m1`
    const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]
    const old = `almanac-${namespace}-1-1-1-m1`
    for (const name of [left(mine), left(other), old]) writeFileSync(join(directory, name), '')
    mine.sweep()
    expect(readdirSync(directory).toSorted()).toEqual([left(other), old].toSorted())
  } finally {
    rmSync(directory, { recursive: true })
  }
})

it('directories with names of its files are left alone', () => {
  const directory = mkdtempSync(join(tmpdir(), 'shared-'))
  try {
    const files = new SharedFiles(directory, directory)
    const names = [`${basename(files.prefix)}-m1`, basename(files.prefix).replace(/-\d+-\d+-\d+$/, '-1-1-1')]
    for (const name of names) mkdirSync(join(directory, name, 'own'), { recursive: true })
    writeFileSync(`${files.prefix}-m2`, '')
    files.sweep()
    files.close()
    expect(readdirSync(directory).toSorted()).toEqual(names.toSorted())
  } finally {
    rmSync(directory, { recursive: true })
  }
})

it('files that grow lie on disk, and in shared memory where the disk has no room', () => {
  const directory = mkdtempSync(join(tmpdir(), 'shared-'))
  try {
    const usual = new SharedFiles(join(directory, 'nowhere'), directory)
    expect(usual.growing()).toEqual([usual.spare, usual.prefix])
    const odd = new SharedFiles(directory, join(directory, 'nowhere'))
    expect(odd.growing()).toEqual([odd.prefix, odd.spare])
  } finally {
    rmSync(directory, { recursive: true })
  }
})
