import { expect, it } from 'vitest'
import { taskSpec } from '../../testing/task-spec.ts'
import { containerEnd } from './ends.ts'
import { containerBody } from './test-body.ts'

const body = containerBody(['gdalinfo', 'x'], { image: 'osgeo/gdal' })
const task = taskSpec('info', body)
const none = { limit: 0, killed: false }

const end = (code: number, lastWords: string, memory = none, signal?: string) => {
  const exit = { code, left: [], ...(signal !== undefined && { signal }) }
  const verdict = containerEnd(task, body, { exit, stopped: false, lastWords }, memory)
  if (verdict === undefined || 'lost' in verdict) return verdict
  return [verdict.error.code, verdict.retryable, verdict.error.message]
}

it.each([
  [127, 'Error: runc: runc create failed: exec: "gdalinfo": executable file not found in $PATH'],
  [
    127,
    'docker: Error response from daemon: OCI runtime create failed: exec: "gdalinfo": executable file not found in $PATH: unknown.',
  ],
  [1, 'ERROR (catatonit:6): failed to exec pid1: No such file or directory'],
  [127, '[FATAL tini (7)] exec gdalinfo failed: No such file or directory'],
  [126, 'docker: Error response from daemon: exec: "/data": permission denied: unknown.'],
  [126, 'Error: crun: open executable: Permission denied: OCI permission denied'],
])('a program that is not in the image is told by exit %i and its words', (code, words) => {
  expect(end(code, `some log\n${words}`)).toEqual([
    'ALM_TASK_NOT_FOUND',
    false,
    expect.stringMatching(/^gdalinfo was not found: it cannot be run in the image osgeo\/gdal: /),
  ])
})

it('what the container program cannot do is not the failure of the program', () => {
  expect(end(125, 'docker: Error response from daemon: No such runtime.\nSee docker run --help.')).toEqual([
    'ALM_CONTAINER_FAILED',
    true,
    'No container of osgeo/gdal could be started: No such runtime.',
  ])
  expect(end(125, 'time="2026-11-21T09:00:00Z" level=error msg="invalid reference"')).toEqual([
    'ALM_CONTAINER_FAILED',
    true,
    'No container of osgeo/gdal could be started: invalid reference.',
  ])
  const refused = 'crun: setrlimit `RLIMIT_NOFILE`: Operation not permitted: OCI permission denied'
  expect(end(126, `Error: ${refused}`)).toEqual([
    'ALM_CONTAINER_FAILED',
    true,
    `No container of osgeo/gdal could be started: ${refused}.`,
  ])
})

it('exit codes of the program are its own, whatever they are', () => {
  for (const code of [1, 125, 126, 127, 137]) expect(end(code, 'my own words')).toBeUndefined()
  expect(end(2, 'Error: no such option')).toBeUndefined()
})

it('a daemon that goes away is not the doing of the author', () => {
  expect(end(125, 'docker: error waiting for container: unexpected EOF')).toEqual({
    lost: 'error waiting for container: unexpected EOF',
  })
})

it('an end that Podman came too late to hear of is not known', () => {
  const said =
    'Waiting for container 1f26b6962bb67275ddeaeacfb824b78e10b42333a089f671835adbb20d41d078: container has already been removed'
  const words = [
    `time="2026-11-21T17:05:53Z" level=error msg="${said}"`,
    'time="2026-11-21T17:05:53Z" level=error msg="forwarding signal 15 to container 1f26b6: no such container"',
  ]
  for (const order of [words, words.toReversed()]) expect(end(127, order.join('\n'))).toEqual({ lost: said })
  // the program's own words, and its own end
  expect(end(127, said)).toBeUndefined()
  expect(end(1, words.join('\n'))).toBeUndefined()
})

it('a kill for memory is told with its limit, surely or most likely', () => {
  const limit = 2 ** 30
  expect(end(1, 'Killed', { limit, killed: true })).toEqual([
    'ALM_TASK_MEMORY',
    true,
    'The attempt was ended for its memory: a process of the container was killed for going over its limit of 1 GiB.',
  ])
  expect(end(137, '', { limit, killed: false }, 'SIGKILL')).toEqual([
    'ALM_TASK_MEMORY',
    true,
    'The attempt was ended for its memory: the container was killed (SIGKILL), most likely for going over its limit of 1 GiB.',
  ])
  expect(end(137, '', none, 'SIGKILL')).toBeUndefined()
})
