import type { ContainerBody } from '../../model/task.ts'

/** Containers as tests have them. */

export const testImage = 'localhost/almanac-busybox:1'

export const containerBody = (run: readonly string[], more: Partial<ContainerBody> = {}): ContainerBody => ({
  kind: 'container',
  image: testImage,
  pull: 'never',
  run,
  env: {},
  volumes: [],
  init: true,
  exitCodes: { retry: [] },
  ...more,
})
