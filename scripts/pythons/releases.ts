/** Where a version of Python is had that the machine lacks: in releases of Linux distributions, for x86-64. */
export interface Release {
  /** what apt is told of where it lies */
  readonly source: { readonly uri: string; readonly suites: readonly string[]; readonly components: string }
  /** the keys that it is signed with: of the machine, or in a package of Debian */
  readonly keyring: 'debian' | 'ubuntu'
}

const debian = (...suites: string[]): Release => ({
  source: { uri: 'http://deb.debian.org/debian', suites, components: 'main' },
  keyring: 'debian',
})

const ubuntu = (...suites: string[]): Release => ({
  source: { uri: 'http://archive.ubuntu.com/ubuntu', suites, components: 'main' },
  keyring: 'ubuntu',
})

/** Every version that the package is made for, oldest first. */
export const releases: Readonly<Record<string, Release>> = {
  // with the C library of a later one: its own has a loader that cannot be started by itself
  '3.10': ubuntu('jammy', 'noble'),
  '3.11': debian('bookworm'),
  '3.12': ubuntu('noble'),
  '3.13': debian('trixie'),
  '3.14': debian('forky'),
}

/** Has Ubuntu’s keys in a package. */
export const keyRelease = debian('trixie')
