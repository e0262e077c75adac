import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { resolve, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Digest } from '../model/refs.ts'
import type { TaskBody, TaskSpec } from '../model/task.ts'
import type { CodeFingerprint } from '../ports/code.ts'
import { shown } from './load-error.ts'
import { sha256All } from './sha256.ts'

/** Commands count by their words, with the scripts among them that are declared; scripts by their text; containers by their words and all that differs within them. The image is counted elsewhere: it may have to be asked for. */

type Body<K extends TaskBody['kind']> = Extract<TaskBody, { readonly kind: K }>

export function countScript({ lang, source }: Body<'script'>): CodeFingerprint {
  const digest = sha256All(['script', lang, source])
  return { digest, parts: { [`script:${lang}`]: digest }, warnings: [] }
}

export async function countCommand(
  task: TaskSpec,
  body: Body<'command'>,
  project: string,
): Promise<CodeFingerprint> {
  // where the project lies does not count
  const words = body.run.map((word) => word.replaceAll(`${project}${sep}`, ''))
  const cwd = body.cwd === undefined ? '' : shown(project, body.cwd)
  const parts: Record<string, Digest> = { command: sha256All(['command', cwd, ...words]) }
  const warnings: string[] = []
  for (const path of namedFiles(body)) {
    const name = shown(project, path)
    if (task.reads.includes(path)) parts[`file:${name}`] = await digestOfFile(path)
    else if (path.startsWith(`${project}${sep}`)) {
      warnings.push(`${task.name} runs ${name}, whose content does not count: name it in the option reads`)
    }
  }
  return { digest: sha256All(Object.values(parts)), parts, warnings }
}

export function countContainer(task: TaskSpec, body: Body<'container'>, project: string): CodeFingerprint {
  const { run, entrypoint, env, volumes, network, user, workdir, gpu } = body
  // how much it gets, and how it comes by its image, does not change what it makes
  const counted = {
    entrypoint: entrypoint ?? null,
    env: Object.entries(env).sort(),
    volumes: volumes.map(({ path, source, write }) => [path, shown(project, source), write]).sort(),
    network: network ?? '',
    user: user ?? '',
    workdir: workdir ?? '',
    gpu: gpu !== undefined,
  }
  const parts: Record<string, Digest> = {
    command: sha256All(['command', ...run]),
    container: sha256All(['container', JSON.stringify(counted)]),
  }
  const undeclared = volumes.filter(({ source, write }) => !write && !task.reads.includes(source))
  const warnings = undeclared.map(
    ({ source }) =>
      `${task.name} has the volume ${shown(project, source)}, whose content does not count: name it in the option reads, or make it an input`,
  )
  return { digest: sha256All(Object.values(parts)), parts, warnings }
}

/** Files that words of the command are paths of: relative ones only mean something in a working directory. */
function namedFiles({ run, cwd }: Body<'command'>): readonly string[] {
  const paths = run.flatMap((word) => {
    if (!word.includes(sep) && cwd === undefined) return []
    if (!word.startsWith(sep) && cwd === undefined) return []
    const path = resolve(cwd ?? sep, word)
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? [path] : []
  })
  return [...new Set(paths)]
}

async function digestOfFile(path: string): Promise<Digest> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
