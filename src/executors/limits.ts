/** What one attempt may say before the rest of it is dropped or refused. */
export interface AttemptLimits {
  /** of log lines, all streams together; what is more is dropped and counted */
  readonly logBytes: number
  /** characters of one log line; longer ones are split */
  readonly lineLength: number
  /** events, metrics, artifacts and warnings; what is more is dropped and counted */
  readonly notes: number
  /** of one line of the file in `ALMANAC_EVENTS` */
  readonly noteBytes: number
  /** that are read of that file */
  readonly eventBytes: number
  /** of the file in `ALMANAC_RESULT` */
  readonly resultBytes: number
}

export const defaultLimits: AttemptLimits = {
  logBytes: 16 * 2 ** 20,
  lineLength: 2 ** 16,
  notes: 100_000,
  noteBytes: 2 ** 20,
  eventBytes: 64 * 2 ** 20,
  resultBytes: 16 * 2 ** 20,
}

/** `16 MiB`, `1000 bytes` */
export function bytesText(bytes: number): string {
  for (const [unit, size] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (bytes >= size) return `${Number((bytes / size).toFixed(1))} ${unit}`
  }
  return `${bytes} bytes`
}

/** `1.5 s`, `20 ms` */
export const durationText = (ms: number): string =>
  ms < 1000
    ? `${ms} ms`
    : ms < 120_000
      ? `${Number((ms / 1000).toFixed(1))} s`
      : `${Number((ms / 60_000).toFixed(1))} min`
