import { task } from 'almanac'

/** In a module of its own: threads load it, and not the program that measures. */
export const threadNoop = task('noop', { run: 'thread' }, (n: number) => n)
