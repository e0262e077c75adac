import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Packages } from './repository/lock.ts'
import { missingOptionals, withPackages } from './repository/lock.ts'
import { root } from './source-files.ts'

/** Adds to the lock file what npm left out of it; to be run after a dependency is added or updated. */

const path = join(root, 'package-lock.json')
const text = readFileSync(path, 'utf8')
const missing = missingOptionals((JSON.parse(text) as { readonly packages: Packages }).packages)
if (Object.keys(missing).length > 0) writeFileSync(path, withPackages(text, missing))
console.log(`${Object.keys(missing).length} packages added to package-lock.json`)
