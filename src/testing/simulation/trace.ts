/** Takes what happens, in words; they are made only where somebody reads them. */
export type Trace = (line: () => string) => void
