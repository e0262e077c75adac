/**
 * An image of a black hole from the visibilities of radio telescopes: each spectral window is measured and its stations
 * are calibrated, each of its channels is imaged and cleaned, and the images are added up in pairs. Where a window's image
 * is not what it should be, a person is asked, and what they say becomes part of the calibration that later runs use.
 *
 *   almanac run imaging.ts                                  a known sky, seen by the stations of `stations.csv`
 *   almanac run imaging.ts --input fault=1:LM               the same, with a station that fails in window 1
 *   almanac run imaging.ts --input data=./uvfits            UVFITS files of your own, one a spectral window
 */
import {
  type Arg,
  all,
  dir,
  type File,
  type Future,
  file,
  json,
  map,
  python,
  run,
  workflow,
  z,
} from 'almanac'

/** Arrays by name, which stay in the Python process that made them. */
type Arrays = Readonly<Record<string, unknown>>

interface Observed {
  readonly visibilities: number
  readonly channels: number
  readonly stations: readonly string[]
}

/** What an image is worth. */
interface Quality {
  readonly channels: number
  readonly beam: number
  readonly peak: number
  readonly dynamic_range: number
  /** with the true sky, where that is known */
  readonly correlation?: number
}

/** How stations are calibrated: kept from run to run, and changed by people. */
const calibrationSchema = z.object({
  flux: z.number().positive().default(1).describe('of the calibrator, Jy'),
  flags: z.record(z.string(), z.array(z.string())).default({}).describe('stations left out, by window'),
  disc: z.number().positive().default(62).describe('μas, where self-calibration begins'),
  rounds: z.number().int().min(3).default(15).describe('of self-calibration, where there is no calibrator'),
})
const calibration = run.context('calibration', {
  schema: calibrationSchema,
  initial: calibrationSchema.parse({}),
})

/** How channels are imaged. */
const imagingSchema = z.object({
  robust: z.number().min(-2).max(2).nullable().default(0).describe('weighting; natural if null'),
  gain: z.number().positive().max(1).default(0.1),
  iterations: z.number().int().min(0).default(300),
  threshold: z.number().min(0).default(3).describe('of the noise of what is left'),
  box: z.number().positive().max(1).default(0.6).describe('share of the half width that may have components'),
})
const imaging = run.context('imaging', { schema: imagingSchema, initial: imagingSchema.parse({}) })

/** What runs found of each window: synthesized beam and quality. */
const beams = run.context<Record<string, Quality>>('beams', { initial: {} })

const env = python.env('requirements.txt')
// what only lives in memory is remembered too: the same call in a later run is not executed
const step = { env, cache: true } as const

export const observe = python.task({
  ...step,
  run: 'steps.py:observe',
  reads: ['stations.csv'],
  input: {
    window: json<number>(),
    channels: json<number>(),
    scans: json<number>(),
    fault: json<string | null>(),
  },
  output: { observed: file('observed.npz'), summary: json<Observed>() },
})

export const windowsOf = python.task({
  ...step,
  run: 'steps.py:windows_of',
  input: { data: dir() },
  output: { names: json<string[]>() },
})

export const load = python.task({
  ...step,
  run: 'steps.py:load',
  input: { data: dir(), name: json<string>() },
  output: { observed: file('observed.npz'), summary: json<Observed>() },
})

export const solve = python.task({
  ...step,
  run: 'steps.py:solve',
  input: { observed: file(), window: json<string>() },
  context: { calibration },
  output: { gains: file('gains.npz'), summary: json() },
})

export const select = python.task({
  ...step,
  run: 'steps.py:select',
  input: { observed: file(), gains: file(), channel: json<number>() },
  output: { channel: json<Arrays>() },
})

export const dirty = python.task({
  ...step,
  run: 'steps.py:dirty',
  input: { channel: json<Arrays>(), pixels: json<number>() },
  context: { imaging },
  output: { dirty: json<Arrays>() },
})

export const deconvolve = python.task({
  ...step,
  run: 'steps.py:deconvolve',
  input: { dirty: json<Arrays>() },
  context: { imaging },
  output: { cleaned: json<Arrays>() },
})

export const finish = python.task({
  ...step,
  run: 'steps.py:finish',
  input: { cleaned: json<Arrays>() },
  output: { image: json<Arrays>() },
})

export const add = python.task({
  ...step,
  run: 'steps.py:add',
  input: { a: json<Arrays>(), b: json<Arrays>() },
  output: { image: json<Arrays>() },
})

export const assess = python.task({
  ...step,
  run: 'steps.py:assess',
  input: { total: json<Arrays>(), title: json<string>(), has_truth: json<boolean>() },
  output: { png: file('image.png'), image: file('image.npy'), quality: json<Quality>() },
})

export const combine = python.task({
  ...step,
  run: 'steps.py:combine',
  input: { images: dir(), windows: json<Record<string, Quality>>(), has_truth: json<boolean>() },
  output: { png: file('image.png'), image: file('image.npy'), quality: json<Quality>() },
})

const input = z.object({
  data: dir().optional().describe('UVFITS files, one a spectral window; a known sky is simulated if absent'),
  windows: z.number().int().min(1).max(64).default(4).describe('spectral windows that are simulated'),
  channels: z.number().int().min(1).max(4096).default(128).describe('channels of each'),
  scans: z
    .number()
    .int()
    .min(16)
    .max(1440)
    .default(160)
    .describe('scans in a day, every second of a calibrator'),
  pixels: z.number().int().min(16).max(512).default(64).describe('of a side of an image of 160 μas'),
  fault: z
    .string()
    .regex(/^\d+:\w+$/)
    .optional()
    .describe('WINDOW:STATION: the phase of the station jumps in that window'),
  accept: z.number().default(30).describe('dynamic range below which a person is asked'),
})

const answer = z.object({
  verdict: z.enum(['accept', 'leave out', 'flag']),
  station: z.string().optional().describe('with flag: the one that is left out, from now on'),
})

type Input = z.infer<typeof input>

/** A window as it was measured. */
interface Window {
  readonly name: string
  readonly observed: Arg<File>
  readonly channels: number
}

/** The images of a list of channels, added up in pairs. */
function total(images: readonly Future<Arrays>[]): Future<Arrays> {
  let level = images
  while (level.length > 1) {
    const pairs: Future<Arrays>[] = []
    for (let n = 0; n < level.length; n += 2) {
      const [a, b] = level.slice(n, n + 2) as [Future<Arrays>, Future<Arrays> | undefined]
      pairs.push(b === undefined ? a : add({ a, b }).image)
    }
    level = pairs
  }
  return level[0] as Future<Arrays>
}

/** Windows of files, or of a sky that is known. */
async function measured({ data, windows, channels, scans, fault }: Input): Promise<Window[]> {
  if (data === undefined) {
    const [faulty, station = null] = fault?.split(':') ?? []
    return Array.from({ length: windows }, (_, window) => {
      const name = `${window}`
      const { observed } = observe({ window, channels, scans, fault: name === faulty ? station : null })
      return { name, observed, channels }
    })
  }
  const loaded = (await windowsOf({ data }).names).map((name) => ({ name, ...loadedFrom(data, name) }))
  const found: Window[] = []
  for (const { name, observed, summary } of loaded)
    found.push({ name: name.replace(/\.uvfits$/, ''), observed, channels: (await summary).channels })
  return found
}

function loadedFrom(data: NonNullable<Input['data']>, name: string) {
  const { observed, summary } = load({ data, name })
  return { observed, summary }
}

/** Calibrates a window, images its channels, and says what the image is worth. */
function imageWindow({ name, observed, channels }: Window, { pixels, data }: Input) {
  const gains = run.stage('calibrate', () => solve({ observed, window: name }).gains)
  const image = run.stage('image', () => {
    const images = Array.from({ length: channels }, (_, channel) => {
      const selected = select({ observed, gains, channel }).channel
      const made = dirty({ channel: selected, pixels }).dirty
      return finish({ cleaned: deconvolve({ dirty: made }).cleaned }).image
    })
    return total(images)
  })
  return run.stage('quality', () =>
    assess({ total: image, title: `window ${name}`, has_truth: data === undefined }),
  )
}

/** A window's image once it is good enough, or a person says so; undefined: it is left out. */
async function judged(window: Window, given: Input) {
  const { name } = window
  for (let round = 1; ; round++) {
    const { png, image, quality: worth } = imageWindow(window, given)
    const quality = await worth
    run.metric(`dynamic range, window ${name}`, quality.dynamic_range, { step: round })
    run.artifact(`window ${name}`, { kind: 'image', path: await png })
    if (quality.dynamic_range >= given.accept) return { name, image: await image, quality }
    const { verdict, station } = await run.ask(answer, {
      title: `The image of window ${name} has a dynamic range of ${quality.dynamic_range}, less than ${given.accept}.`,
      show: { image: png, quality, beams: (await beams.get()).value },
      key: `${name} ${round}`,
    })
    if (verdict === 'accept') return { name, image: await image, quality }
    if (verdict === 'leave out') return undefined
    const { flags } = (await calibration.get()).value
    const flagged = flags[name] ?? []
    if (station !== undefined) await calibration.patch({ flags: { [name]: [...flagged, station] } })
  }
}

export default workflow('imaging', { input }, async (given) => {
  const windows = await run.stage('import', () => measured(given))
  const images = await map(windows, (window) => judged(window, given), { key: ({ name }) => name }).all()
  const good = images.filter((one) => one !== undefined)
  if (good.length === 0) throw new Error('every window was left out: there is nothing to image')
  const qualities = Object.fromEntries(good.map(({ name, quality }) => [name, quality]))
  const whole = run.stage('combine', () =>
    combine({
      images: dir.of(Object.fromEntries(good.map(({ name, image }) => [`${name}.npy`, image]))),
      windows: qualities,
      has_truth: given.data === undefined,
    }),
  )
  const quality = await whole.quality
  await beams.patch(qualities)
  run.metric('dynamic range', quality.dynamic_range)
  if (quality.correlation !== undefined) run.metric('correlation with the true sky', quality.correlation)
  run.artifact('image', { kind: 'image', path: await whole.png })
  return all({ quality, png: whole.png, image: whole.image, windows: good.map(({ name }) => name) })
})
