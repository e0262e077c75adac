import type { Command } from 'commander'

/** A command in a list of commands. */
export const termOf = (command: Command): string =>
  `${command.name()} ${command.usage().replace(/^\[options\] ?(\[command\])?/, '')}`.trim()

/** The words that name a command: `data add`. */
export function pathOf(command: Command): string {
  const above = command.parent?.parent ? `${pathOf(command.parent)} ` : ''
  return `${above}${command.name()}`
}

/** What stands for a run and a call, for those who see only names of arguments. */
export function aboutArguments(command: Command): string {
  const names = command.registeredArguments.map((argument) => argument.name())
  if (!names.includes('run')) return ''
  const task = names.includes('task') ? '\nGive a task by its name, or one call by its number.' : ''
  return `\nGive a run by its id, or last for the newest.${task}`
}
