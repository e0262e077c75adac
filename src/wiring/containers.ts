import { hostname } from 'node:os'
import { isGone, thisProcess } from '../data/processes/process-identity.ts'
import type { ContainerOwner, ContainerSettings } from '../executors/container/containers.ts'
import { Containers } from '../executors/container/containers.ts'
import { wordsOf } from '../executors/container/split-words.ts'
import type { AlmanacConfig } from '../flow/config.ts'

/** What a person says goes before what the project says. @throws ALM_CONFIG */
export function openContainers({ container = {} }: AlmanacConfig, say: (text: string) => void): Containers {
  const program = spoken('ALMANAC_CONTAINER_PROGRAM') ?? asWords(container.program)
  const args = spoken('ALMANAC_CONTAINER_ARGS') ?? container.args
  const settings: ContainerSettings = {
    ...(program !== undefined && program.length > 0 && { program }),
    ...(args !== undefined && { args }),
    owner: ownerHere(),
    say,
  }
  return new Containers(settings)
}

function spoken(variable: string): readonly string[] | undefined {
  const text = process.env[variable]
  return text === undefined || text.trim() === '' ? undefined : wordsOf(text)
}

const asWords = (program: string | readonly string[] | undefined): readonly string[] | undefined =>
  typeof program === 'string' ? wordsOf(program) : program

/** This process, and whether others are gone: those of other machines, whose containers a shared daemon may have, are not known to be. */
function ownerHere(): ContainerOwner {
  const host = hostname()
  const { pid, start, bootId, pidNamespace } = thisProcess()
  return {
    label: [host, pid, start, bootId, pidNamespace].join('/'),
    isGone: (label) => {
      const [of, pid, start = '', bootId = '', pidNamespace = ''] = label.split('/')
      return of === host && isGone({ pid: Number(pid), start, bootId, pidNamespace })
    },
  }
}
