import { AlmanacError } from '../../model/errors.ts'
import type { ContainerBody } from '../../model/task.ts'
import type { ClientAnswer } from './client.ts'
import { ask, complaint } from './client.ts'
import type { ContainerEngine } from './engine.ts'

type Wanted = Pick<ContainerBody, 'image' | 'pull'>

const inspectMs = 60_000
/** Images of tens of gigabytes come over slow lines. */
const pullMs = 12 * 3600_000

/**
 * The images of this process. Owns what names mean.
 *
 * I1 a name means one image for the life of the process, for fingerprints and for containers, even if its tag moves.
 * I2 an image that is named by its digest is asked for only when a container of it is to be started.
 */
export class Images {
  readonly #engine: () => Promise<ContainerEngine>
  readonly #say: (text: string) => void
  /** id by name; a failure is forgotten, so that it can be tried again */
  readonly #known = new Map<string, Promise<string>>()

  constructor(engine: () => Promise<ContainerEngine>, say: (text: string) => void) {
    this.#engine = engine
    this.#say = say
  }

  /** What counts of an image. @throws ALM_CONTAINER_PROGRAM, ALM_IMAGE_MISSING, ALM_IMAGE_PULL */
  async identity(wanted: Wanted): Promise<string> {
    const pinned = digestIn(wanted.image)
    // one digest may stand for an image for each kind of processor
    return pinned === undefined ? await this.id(wanted) : `${pinned} ${process.arch}`
  }

  /** The image, on this machine: what it is run by. @throws as `identity` */
  id({ image, pull }: Wanted): Promise<string> {
    const known = this.#known.get(image)
    if (known !== undefined) return known
    const asked = this.#find(image, pull)
    this.#known.set(image, asked)
    asked.catch(() => this.#known.delete(image))
    return asked
  }

  async #find(image: string, pull: Wanted['pull']): Promise<string> {
    const engine = await this.#engine()
    const pinned = digestIn(image) !== undefined
    if (pull !== 'always' || pinned) {
      const here = await inspect(engine, image)
      if (typeof here === 'string') return here
      if (pull === 'never') throw missing(engine, image, complaint(here))
    }
    await this.#pull(engine, image)
    const pulled = await inspect(engine, image)
    if (typeof pulled === 'string') return pulled
    throw missing(engine, image, complaint(pulled))
  }

  async #pull(engine: ContainerEngine, image: string): Promise<void> {
    this.#say(`pulling the image ${image} by ${engine.name}`)
    const answer = await ask([...engine.words, 'pull', image], { timeoutMs: pullMs, onLine: this.#say })
    if (answer.code !== 0) throw pullFailure(engine, image, answer)
  }
}

const digestIn = (image: string): string | undefined => /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1]

async function inspect(engine: ContainerEngine, image: string): Promise<string | ClientAnswer> {
  const answer = await ask([...engine.words, 'image', 'inspect', '--format', '{{.Id}}', image], {
    timeoutMs: inspectMs,
  })
  const hex = /^(?:sha256:)?([0-9a-f]{64})\s*$/.exec(answer.stdout)?.[1]
  if (answer.code === 0 && hex !== undefined) return `sha256:${hex}`
  // what is wrong with the program is not that the image is not there
  if (!/no such (?:image|object)|not known|not found/i.test(answer.stderr))
    throw new AlmanacError('ALM_CONTAINER_PROGRAM', { why: `${engine.name}: ${complaint(answer)}` })
  return answer
}

/** No such image, or no way to it just now. */
function pullFailure(
  engine: Pick<ContainerEngine, 'name'>,
  image: string,
  answer: ClientAnswer,
): AlmanacError {
  const why = complaint(answer)
  const isAbsent =
    /manifest unknown|manifest for .* not found|name unknown|not found: |does not exist|repository .* not found|access denied|unauthorized|authentication required|denied: |short-name|no such image/i
  return isAbsent.test(answer.stderr)
    ? missing(engine, image, why)
    : new AlmanacError('ALM_IMAGE_PULL', { image, why })
}

const missing = (
  { name: program }: Pick<ContainerEngine, 'name'>,
  image: string,
  why: string,
): AlmanacError => new AlmanacError('ALM_IMAGE_MISSING', { image, program, why })
