import {
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { namesOf } from '../core/tree/name.ts'
import { AlmanacError } from '../model/errors.ts'
import type { Digest } from '../model/refs.ts'
import { codeOf, inStore, isMissing } from './files/failures.ts'
import type { Home } from './files/home.ts'
import { ifThere } from './files/missing-files.ts'

/**
 * Shows what lies at `target`, a path of ours, at `<data>/<environment>/<name>`, switched by a rename: a reader sees
 * the old or the new one, whole. The link is relative, so that the project may move.
 * @throws ALM_PATH_REFUSED, ALM_TARGET_EXISTS where something is there that is not ours
 */
export function showAt(home: Home, data: string, environment: string, name: string, target: string): string {
  const names = shownNames(environment, name)
  const link = join(data, ...names)
  inStore(link, () => {
    for (let attempt = 0; ; attempt++) {
      try {
        makeParents(data, names.slice(0, -1))
        return switchTo(home, link, target)
      } catch (error) {
        // another process took the link away, or a directory that it left empty, in between
        if (attempt === 9 || !isMissing(error)) throw error
      }
    }
  })
  return link
}

function switchTo(home: Home, link: string, target: string): void {
  checkOurs(home, link)
  const parent = realpathSync(dirname(link))
  const text = relative(parent, `${realpathSync(home.root)}${target.slice(home.root.length)}`)
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined && readlinkSync(link) === text) return
  const temporary = `${parent}/.${crypto.randomUUID()}.tmp`
  try {
    symlinkSync(text, temporary)
    renameSync(temporary, link)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

function shownNames(environment: string, name: string): readonly string[] {
  const names = [...namesOf(environment), ...namesOf(name)]
  if (names.some((one) => one.startsWith('.')))
    throw new AlmanacError('ALM_PATH_REFUSED', { path: names.join('/'), why: 'a name begins with "."' })
  return names
}

/** Could something be shown there? Makes nothing. @throws ALM_PATH_REFUSED, ALM_TARGET_EXISTS */
export function checkShowable(root: string, data: string, environment: string, name: string): void {
  const names = shownNames(environment, name)
  let path = data
  for (const [i, one] of names.entries()) {
    path = join(path, one)
    const stat = inStore(path, () => lstatSync(path, { throwIfNoEntry: false }))
    if (stat === undefined) return
    const isLast = i === names.length - 1
    const fits = isLast
      ? stat.isSymbolicLink() && digestShown(root, data, environment, name) !== undefined
      : stat.isDirectory()
    if (!fits) throw new AlmanacError('ALM_TARGET_EXISTS', { path })
  }
}

/** The digest of the directory or file of ours that a link there leads to, whether that is there or not. */
export function digestShown(
  root: string,
  data: string,
  environment: string,
  name: string,
): Digest | undefined {
  const link = join(data, ...shownNames(environment, name))
  return inStore(link, () => {
    const target = targetOf(link)
    if (target === undefined) return undefined
    const home = realpathSync(root)
    const [, digest] = /^\/(?:trees|files)\/[0-9a-f]{2}\/([0-9a-f]{64})/.exec(target.slice(home.length)) ?? []
    return target.startsWith(`${home}/`) ? digest : undefined
  })
}

/** Undefined where there is no link, or none any more. */
function targetOf(link: string): string | undefined {
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return undefined
  return ifThere(() => resolve(realpathSync(dirname(link)), readlinkSync(link)))
}

/** Takes a link of ours away, and directories above it that are empty then. */
export function hideAt(root: string, data: string, environment: string, name: string): void {
  const names = shownNames(environment, name)
  if (digestShown(root, data, environment, name) === undefined) return
  inStore(data, () => {
    rmSync(join(data, ...names), { force: true })
    for (let depth = names.length - 1; depth > 0; depth--) {
      try {
        rmdirSync(join(data, ...names.slice(0, depth)))
      } catch (error) {
        if (isMissing(error)) continue
        if (['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) return
        throw error
      }
    }
  })
}

/** Below `data` only directories: through a link to a version something would be put into it. */
function makeParents(data: string, names: readonly string[]): void {
  mkdirSync(data, { recursive: true })
  let path = data
  for (const name of names) {
    path = join(path, name)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined) mkdirSync(path, { recursive: true })
    else if (!stat.isDirectory()) throw new AlmanacError('ALM_TARGET_EXISTS', { path })
  }
}

function checkOurs(home: Home, link: string): void {
  const stat = lstatSync(link, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (!stat.isSymbolicLink() || !leadsHome(home, link))
    throw new AlmanacError('ALM_TARGET_EXISTS', { path: link })
}

function leadsHome(home: Home, link: string): boolean {
  // not followed: what it leads to may be gone
  const target = resolve(realpathSync(dirname(link)), readlinkSync(link))
  const root = realpathSync(home.root)
  return [home.trees, home.files].some((folder) =>
    target.startsWith(`${root}${folder.slice(home.root.length)}/`),
  )
}
