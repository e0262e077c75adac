/** Sources of more than 400 lines, each with the reason why it is one thing. An entry that is not needed is an error. */
export const largeFiles: Readonly<Record<string, string>> = {}
