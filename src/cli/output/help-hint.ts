/** Where the use of the command is told that this process carries out. */
let hint = 'See almanac help.'

/** @param command as in `data add` */
export function helpIsOf(command: string): void {
  hint = `See almanac ${command} --help.`
}

export const helpHint = (): string => hint
