/** `almanac/testing`: a world for workflows whose clock, tasks and crashes are in the test's hand. */

export { HeldExecutor, type StandIn } from './held-executor.ts'
export { SeededChance } from './seeded-chance.ts'
export { VirtualClock } from './virtual-clock.ts'
export { type ResumeOptions, World, type WorldOptions, type WorldProcess } from './world.ts'
