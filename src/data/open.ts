import type { DataPlaneOptions } from './local-data-plane.ts'
import { LocalDataPlane } from './local-data-plane.ts'

/** A data plane on the local disk. Nothing is made or read before it is first used. */
export const openDataPlane = (options: DataPlaneOptions): LocalDataPlane => new LocalDataPlane(options)
