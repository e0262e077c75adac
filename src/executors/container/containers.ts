import { AlmanacError } from '../../model/errors.ts'
import { ask, complaint } from './client.ts'
import type { ContainerEngine } from './engine.ts'
import { findEngine } from './engine.ts'
import { Images } from './images.ts'
import { removeWords } from './run-words.ts'
import type { StopRequest } from './stop-request.ts'
import { requestStop } from './stop-request.ts'

/** How containers are run on this machine. */
export interface ContainerSettings {
  /** program and its own arguments; the first that answers if absent */
  readonly program?: readonly string[]
  /** for each `run` */
  readonly args?: readonly string[]
  /** by which containers of processes that are gone are told from those of others; without it none are looked for */
  readonly owner?: ContainerOwner
  readonly say?: (text: string) => void
}

export interface ContainerOwner {
  /** of this process: no comma, no white space */
  readonly label: string
  /** the process of that label is surely gone */
  isGone(label: string): boolean
}

export const ownerLabel = 'almanac.owner'

const listMs = 60_000
const removeMs = 120_000

/**
 * The container program of this process, its images, and containers that are to go. Nothing is asked before the first
 * container is wanted.
 *
 * C1 every container has a name of its own and, where there is an owner, a label: one that outlives its process (which
 *    takes the death of the watcher beside it) is removed by the next process that wants a container.
 */
export class Containers {
  readonly images: Images
  readonly settings: ContainerSettings
  #engine: Promise<ContainerEngine> | undefined
  /** what nobody waits for but `close` */
  readonly #underWay = new Set<Promise<void>>()

  constructor(settings: ContainerSettings) {
    this.settings = settings
    this.images = new Images(() => this.engine(), settings.say ?? silence)
  }

  /** @throws ALM_CONTAINER_PROGRAM */
  engine(): Promise<ContainerEngine> {
    if (this.#engine === undefined) {
      this.#engine = this.#open()
      // it may be started meanwhile
      this.#engine.catch(() => {
        this.#engine = undefined
      })
    }
    return this.#engine
  }

  /** @throws ALM_CONTAINER_PROGRAM, ALM_CONTAINER_LEFT */
  async remove(names: readonly string[]): Promise<void> {
    const engine = await this.engine()
    const answer = await ask(removeWords(engine, names), { timeoutMs: removeMs })
    if (answer.code !== 0 && !/no such container/i.test(answer.stderr))
      throw new AlmanacError('ALM_CONTAINER_LEFT', {
        why: complaint(answer),
        program: engine.name,
        names: names.join(' '),
      })
  }

  /** The same, while others go on: `close` waits for it. */
  removeLater(names: readonly string[]): void {
    this.#goOn(this.remove(names).catch((error: unknown) => this.settings.say?.((error as Error).message)))
  }

  /** Has a container hear SIGTERM; `close` waits for it. */
  askToStop(request: StopRequest): void {
    this.#goOn(this.engine().then((engine) => requestStop(engine, request)))
  }

  #goOn(work: Promise<void>): void {
    const ended = work.finally(() => this.#underWay.delete(ended))
    this.#underWay.add(ended)
  }

  /** Did the kernel kill one of its processes for its memory? */
  async wasShort(name: string): Promise<boolean> {
    const engine = await this.engine()
    const words = [...engine.words, 'inspect', '--format', '{{.State.OOMKilled}}', name]
    return (await ask(words, { timeoutMs: listMs })).stdout.trim() === 'true'
  }

  async close(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  async #open(): Promise<ContainerEngine> {
    const engine = await findEngine(this.settings.program)
    if (this.settings.owner !== undefined) await this.#removeLeft(engine, this.settings.owner)
    return engine
  }

  async #removeLeft(engine: ContainerEngine, owner: ContainerOwner): Promise<void> {
    const label = engine.kind === 'podman' ? `index .Labels "${ownerLabel}"` : `.Label "${ownerLabel}"`
    const format = `{{.ID}} {{${label}}}`
    const words = [...engine.words, 'ps', '-a', '--filter', `label=${ownerLabel}`, '--format', format]
    const listed = await ask(words, { timeoutMs: listMs })
    if (listed.code !== 0)
      return this.settings.say?.(
        `containers that killed processes left could not be listed: ${complaint(listed)}`,
      )
    const left = listed.stdout.split('\n').flatMap((line) => {
      const [id = '', label = ''] = line.trim().split(' ')
      return id !== '' && label !== '' && owner.isGone(label) ? [id] : []
    })
    if (left.length === 0) return
    const answer = await ask(removeWords(engine, left), { timeoutMs: removeMs })
    this.settings.say?.(
      answer.code === 0
        ? `removed ${left.length === 1 ? 'a container' : `${left.length} containers`} that a killed process had left`
        : `containers that a killed process had left could not be removed: ${complaint(answer)}`,
    )
  }
}

const silence = (): void => undefined
