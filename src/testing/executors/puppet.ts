import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { Order } from './puppet-control.ts'

/** How a puppet does what only its kind of task can do. */
export interface PuppetAbilities {
  log(stream: 'stdout' | 'stderr', text: string): void | Promise<void>
  say(line: Readonly<Record<string, unknown>>): void | Promise<void>
  /** From now on requests to stop are ignored, and told. */
  stubborn(asked: () => void): void
  /** rejects when it is asked to stop and is not stubborn; never where a process just dies of it */
  readonly stopped?: Promise<never>
}

/**
 * The task's end of `PuppetControl`: connects, does as it is told, resolves with the value to succeed with and rejects
 * with the failure.
 */
export function runPuppet(control: string, token: string, abilities: PuppetAbilities): Promise<unknown> {
  const socket = connect(control)
  const send = (line: object): Promise<void> =>
    new Promise((resolve) => {
      socket.write(`${JSON.stringify(line)}\n`, () => resolve())
    })
  const played = new Promise<unknown>((resolve, reject) => {
    socket.once('connect', () => void send({ hello: token, pid: pidOutside(process.pid) }))
    socket.on('error', reject)
    socket.once('close', () => reject(new Error('the test let go of this puppet')))
    const lines = createInterface({ input: socket })
    // readline tells of the socket's errors once more
    lines.on('error', reject)
    lines.on('line', (text) => {
      const order = JSON.parse(text) as Order & { readonly id: number }
      obey(order, abilities, send).then((end) => {
        if (end !== undefined) end.failed === undefined ? resolve(end.value) : reject(end.failed)
      }, reject)
    })
  })
  const ended = abilities.stopped === undefined ? played : Promise.race([played, abilities.stopped])
  return ended.finally(() => socket.destroy())
}

interface PuppetEnd {
  readonly value?: unknown
  readonly failed?: Error
}

async function obey(
  order: Order & { readonly id: number },
  abilities: PuppetAbilities,
  send: (line: object) => Promise<void>,
): Promise<PuppetEnd | undefined> {
  const ok = { id: order.id, ok: true }
  switch (order.do) {
    case 'log':
      await abilities.log(order.stream, order.text)
      await send(ok)
      return undefined
    case 'flood':
      await abilities.log('stdout', floodText(order.bytes))
      await send(ok)
      return undefined
    case 'say':
      await abilities.say(order.line)
      await send(ok)
      return undefined
    case 'stubborn':
      abilities.stubborn(() => void send({ told: 'stop' }))
      await send(ok)
      return undefined
    case 'child':
      await send({ ...ok, pid: pidOutside(spawn('sleep', ['1000'], { stdio: 'ignore' }).pid ?? 0) })
      return undefined
    case 'die':
      await send(ok)
      process.kill(process.pid, 'SIGKILL')
      return undefined
    case 'succeed':
      await send(ok)
      return { value: order.value }
    case 'fail':
      await send(ok)
      return { failed: new Error(order.message) }
  }
}

/** The number that a process of a container has outside of it, by the outside's `/proc`. */
function pidOutside(pid: number): number {
  const proc = process.env['PUPPET_PROC']
  if (proc === undefined) return pid
  const space = (of: string): string | undefined => {
    try {
      return readlinkSync(`${proc}/${of}/ns/pid`)
    } catch {
      // it has ended, or is none of ours
      return undefined
    }
  }
  const own = space('self')
  const found = readdirSync(proc).find((name) => {
    if (!/^\d+$/.test(name) || space(name) !== own) return false
    return new RegExp(`^NSpid:.*\\t${pid}$`, 'm').test(readFileSync(`${proc}/${name}/status`, 'latin1'))
  })
  return Number(found)
}

const floodText = (bytes: number): string =>
  Array.from({ length: Math.ceil(bytes / 100) }, () => 'x'.repeat(99)).join('\n')
