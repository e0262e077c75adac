/**
 * The lock file, made whole. npm leaves out a package for another platform that the registry at hand has not,
 * and then `npm ci` fails everywhere, because the lock file lacks what a dependency names as optional. A full registry
 * would have given an entry of name, version and platform: so these are what is added.
 */

/** An entry of the lock file; `name` where it is installed under another one. */
export interface Locked {
  readonly version?: string
  readonly name?: string
  readonly cpu?: readonly string[]
  readonly dev?: boolean
  readonly libc?: readonly string[]
  readonly hasInstallScript?: boolean
  readonly optional?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly os?: readonly string[]
}

export type Packages = Readonly<Record<string, Locked>>

const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]
const processors = [
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
]

/** What dependencies name as optional and the lock file lacks, by where it would be installed. */
export function missingOptionals(packages: Packages): Packages {
  const missing: Record<string, Locked> = {}
  for (const [path, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (placesFor(name, path).some((place) => packages[place] !== undefined)) continue
      if (!/^\d/.test(version)) continue // a range: which version it is only its registry knows
      const words = name.split(/[/-]/)
      const os = systems.filter((one) => words.includes(one))
      const cpu = processors.filter((one) => words.includes(one))
      const libc = libcOf(words)
      missing[`node_modules/${name}`] = {
        version,
        ...(cpu.length > 0 && { cpu }),
        ...(dev === true && { dev }),
        ...(libc !== undefined && { libc: [libc] }),
        optional: true,
        ...(os.length > 0 && { os }),
      }
    }
  }
  return missing
}

function libcOf(words: readonly string[]): string | undefined {
  if (words.some((word) => word.startsWith('musl'))) return 'musl'
  return words.includes('linux') && words.some((word) => word.startsWith('gnu')) ? 'glibc' : undefined
}

/** Where Node looks for a package that is imported at `path`, the nearest first. */
function placesFor(name: string, path: string): string[] {
  const places = [`node_modules/${name}`]
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/'))))
    places.unshift(`${at}/node_modules/${name}`)
  return places
}

/** The text of the lock file with these added, in npm's own order. */
export function withPackages(text: string, added: Packages): string {
  const lock = JSON.parse(text) as { packages: Record<string, Locked> }
  const entries = Object.entries({ ...lock.packages, ...added })
  lock.packages = Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b, 'en')))
  return `${JSON.stringify(lock, undefined, 2)}\n`
}
