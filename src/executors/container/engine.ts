import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { AlmanacError } from '../../model/errors.ts'
import { findProgram } from '../programs/find-program.ts'
import { ask, complaint } from './client.ts'

/** A container program that answers, and what there is to know of it. */
export interface ContainerEngine {
  /** program and its own arguments */
  readonly words: readonly string[]
  /** what it is called in messages */
  readonly name: string
  /** by what it says of itself, not by its name: `docker` may be Podman */
  readonly kind: 'podman' | 'docker'
  /** users of containers are users of a range that belongs to the one who runs it */
  readonly rootless: boolean
  /** files of this machine are only seen in containers if labels are not looked at */
  readonly selinux: boolean
  /** there is a first process for containers, which passes signals on */
  readonly init: boolean
}

/** In this order; one that is installed may have no daemon. */
const known = ['docker', 'podman', 'nerdctl'] as const

const infoMs = 30_000

/**
 * The container program: the one that is named, or the first that answers.
 * @throws ALM_CONTAINER_PROGRAM
 */
export async function findEngine(named: readonly string[] | undefined): Promise<ContainerEngine> {
  const path = process.env['PATH'] ?? ''
  const candidates = named === undefined ? known.map((name) => [name]) : [named]
  const refusals: string[] = []
  for (const words of candidates) {
    const [program = ''] = words
    const found = findProgram(program, process.cwd(), path)
    if ('missing' in found) {
      if (named !== undefined) refusals.push(`${program}: ${found.missing}`)
      continue
    }
    const asked = await inform([found.path, ...words.slice(1)])
    if ('refused' in asked) refusals.push(`${program}: ${asked.refused}`)
    else return asked.engine
  }
  const why = refusals.length === 0 ? `none of ${known.join(', ')} is on PATH` : refusals.join('; ')
  throw new AlmanacError('ALM_CONTAINER_PROGRAM', { why })
}

type Informed = { readonly engine: ContainerEngine } | { readonly refused: string }

async function inform(words: readonly string[]): Promise<Informed> {
  try {
    const answer = await ask([...words, 'info', '--format', '{{json .}}'], { timeoutMs: infoMs })
    const told = readInfo(answer.stdout)
    if (told === undefined || answer.code !== 0) return { refused: told?.error ?? complaint(answer) }
    if (told.error !== undefined) return { refused: told.error }
    const { kind, rootless, selinux, init } = told
    return { engine: { words, name: basename(words[0] ?? ''), kind, rootless, selinux, init } }
  } catch (error) {
    return { refused: (error as Error).message }
  }
}

type Info = Pick<ContainerEngine, 'kind' | 'rootless' | 'selinux' | 'init'> & { readonly error?: string }

/** `info` as Podman, Docker and nerdctl write it; undefined where it is none. */
export function readInfo(text: string): Info | undefined {
  let info: unknown
  try {
    info = JSON.parse(text)
  } catch {
    return undefined
  }
  if (info === null || typeof info !== 'object') return undefined
  const { host, SecurityOptions, InitBinary, ServerErrors } = info as Readonly<Record<string, unknown>>
  if (host !== undefined) {
    const { security } = host as { readonly security?: Readonly<Record<string, unknown>> }
    return {
      kind: 'podman',
      rootless: security?.['rootless'] === true,
      selinux: security?.['selinuxEnabled'] === true,
      init: podmanInit.some(existsSync),
    }
  }
  const options = Array.isArray(SecurityOptions) ? SecurityOptions.map(String) : []
  const errors = Array.isArray(ServerErrors) ? ServerErrors.map(String) : []
  return {
    kind: 'docker',
    rootless: options.some((option) => /\bname=rootless\b/.test(option)),
    selinux: options.some((option) => /\bname=selinux\b/.test(option)),
    init: typeof InitBinary === 'string' && InitBinary !== '',
    ...(errors.length > 0 && { error: errors.join('; ') }),
  }
}

/** Podman has none of its own, and refuses what asks for one that is not there. */
const podmanInit = [
  '/usr/libexec',
  '/usr/local/libexec',
  '/usr/lib',
  '/usr/local/lib',
  '/opt/homebrew/libexec',
].map((folder) => `${folder}/podman/catatonit`)
