import { AlmanacError } from '../../model/errors.ts'

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90s`, `10m`, `1.5h`; a bare number is seconds. @throws ALM_USAGE */
export function parseDuration(flag: string, text: string): number {
  const [, number, unit = 's'] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)?$/.exec(text) ?? []
  if (number === undefined)
    throw new AlmanacError('ALM_USAGE', { why: `${flag} ${text}: it is a duration like 90s, 10m or 1.5h` })
  return Number(number) * (units[unit] as number)
}
