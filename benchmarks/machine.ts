import { cpus, release, totalmem } from 'node:os'

/** The day and the machine of a measurement, in a line. */
export function machine(): string {
  return (
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ` +
    `${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}`
  )
}
