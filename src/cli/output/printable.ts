/**
 * Names of files, messages and logs come from outside, and must not move the cursor of a terminal, retitle it, or turn
 * the characters of a line round: such characters are shown as what they are. Colours stay.
 */
export const printable = (text: string): string =>
  text.replace(unsafe, (found) => (found.length > 1 ? found : escaped(found)))

/** A name may hold anything but NUL and "/", newlines too: one entry stays one line, and shows where it begins. */
export const shownName = (name: string): string =>
  name.search(hidden) === -1 ? name : JSON.stringify(name).replace(hidden, escaped)

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const unsafe = /\u001b\[[\d;]*m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

// biome-ignore lint/suspicious/noControlCharactersInRegex: as above, with what ends a line
const hidden = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
