import type { Packages } from './lock.ts'
import { missingOptionals } from './lock.ts'

/** What package.json and the lock file must be like. */

export interface Manifest {
  readonly version: string
  readonly license?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly allowScripts?: Readonly<Record<string, boolean>>
}

const dependenciesOf = (manifest: Manifest): Readonly<Record<string, string>> => ({
  ...manifest.peerDependencies,
  ...manifest.dependencies,
  ...manifest.devDependencies,
  ...manifest.optionalDependencies,
})

export function manifestFaults(manifest: Manifest): string[] {
  return Object.entries({
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...manifest.optionalDependencies,
  })
    .filter(([, version]) => !/^(npm:.+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `package.json: ${name} is ${version}; pin it exactly`)
}

/** @param text the lock file, in which no host may be named */
export function lockFaults(text: string, manifest: Manifest): string[] {
  const { packages } = JSON.parse(text) as { readonly packages: Packages }
  const hosts = [
    ...new Set([...text.matchAll(/"resolved": "[a-z+]+:\/\/([^/"]+)/g)].map((match) => match[1])),
  ]
  const scripted = Object.entries(packages)
    .filter(([, one]) => one.hasInstallScript === true && one.optional !== true)
    .map(([path, one]) => one.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
  return [
    ...hosts.map(
      (host) => `package-lock.json names the host ${host}: keep omit-lockfile-registry-resolved in .npmrc`,
    ),
    ...scripted
      .filter((name) => manifest.allowScripts?.[name] !== true)
      .map(
        (name) => `${name} has an install script that npm would block: npm install-scripts approve ${name}`,
      ),
    ...Object.entries(dependenciesOf(manifest))
      .filter(
        ([name, version]) =>
          packages[`node_modules/${name}`]?.version !== version.replace(/^npm:.+@/, '') &&
          manifest.peerDependencies?.[name] === undefined,
      )
      .map(([name, version]) => `package-lock.json has not ${name} ${version}`),
    ...Object.keys(missingOptionals(packages)).map((path) => `package-lock.json lacks ${path}: npm run lock`),
  ]
}

/** Each dependency has a line of its own in the document, "- **name** why", and each such line is a dependency. */
export function dependencyDocFaults(text: string, manifest: Manifest): string[] {
  const named = [...text.matchAll(/^- \*\*(.+?)\*\*/gm)].flatMap((match) => (match[1] as string).split(', '))
  const used = Object.keys(dependenciesOf(manifest))
  return [
    ...used
      .filter((name) => !named.includes(name))
      .map((name) => `docs/design/dependencies.md does not say why ${name}`),
    ...named
      .filter((name) => !used.includes(name))
      .map((name) => `docs/design/dependencies.md names ${name}, which is not used`),
  ]
}
