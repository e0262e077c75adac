/** Calls in each append of the program, with their outcomes. */
export const callsAtOnce = 3
