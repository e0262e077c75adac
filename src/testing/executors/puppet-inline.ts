import type { Artifact, TaskContext } from '../../model/task-context.ts'
import type { Value } from '../../model/value.ts'
import { runPuppet } from './puppet.ts'

/** A puppet as a function task. */
export function inlinePuppet(control: string, token: string, context: TaskContext): Promise<unknown> {
  let whenAsked: (() => void) | undefined
  const stopped = new Promise<never>((_, reject) => {
    context.signal.addEventListener('abort', () => {
      if (whenAsked === undefined) reject(new Error('asked to stop'))
      else whenAsked()
    })
  })
  return runPuppet(control, token, {
    log: (stream, text) => {
      // biome-ignore lint/suspicious/noConsole: that it is captured is what is tested
      if (stream === 'stdout') console.log(text)
      // biome-ignore lint/suspicious/noConsole: as above
      else console.error(text)
    },
    say: (line) => say(context, line),
    stubborn: (asked) => {
      whenAsked = asked
    },
    stopped,
  })
}

function say(context: TaskContext, line: Readonly<Record<string, unknown>>): void {
  const { type, name, ...body } = line as { type: string; name: string } & Record<string, Value>
  switch (type) {
    case 'heartbeat':
      context.heartbeat()
      break
    case 'progress':
      context.progress(Number(body['done']), body['total'] === undefined ? undefined : Number(body['total']))
      break
    case 'metric':
      context.metric(
        name,
        Number(body['value']),
        body['step'] === undefined ? {} : { step: Number(body['step']) },
      )
      break
    case 'artifact':
      context.artifact(name, body as unknown as Artifact)
      break
    default:
      context.event(name, body)
  }
}
