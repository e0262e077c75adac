import { BlockList, isIP } from 'node:net'

/** How far inside a network an address lies: the more, the less a stranger may lead there. */
export type Place = 'public' | 'private' | 'loopback' | 'link-local'

const places: readonly Place[] = ['public', 'private', 'loopback', 'link-local']

export const isDeeper = (place: Place, than: Place): boolean => places.indexOf(place) > places.indexOf(than)

const ranges: readonly (readonly [Place, readonly string[]])[] = [
  // where clouds tell a machine its credentials
  ['link-local', ['169.254.0.0/16', 'fe80::/10', 'fd00:ec2::254/128', '100.100.100.200/32']],
  ['loopback', ['127.0.0.0/8', '::1/128', '0.0.0.0/8', '::/128']],
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7']],
]

/** Made when they are first asked: most commands ask no server, and these take milliseconds. */
let lists: readonly (readonly [Place, BlockList])[] | undefined

function listOf(some: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of some) {
    const [address, bits] = range.split('/') as [string, string]
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

/** IPv4 addresses written as IPv6 ones are what they stand for. */
export function placeOf(address: string): Place {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  lists ??= ranges.map(([place, some]) => [place, listOf(some)] as const)
  return lists.find(([, list]) => list.check(address, family))?.[0] ?? 'public'
}

/** The address that a URL's host is, without brackets; undefined where it is a name. */
export function literalAddress(host: string): string | undefined {
  const bare = host.replace(/^\[|\]$/g, '')
  return isIP(bare) === 0 ? undefined : bare
}
