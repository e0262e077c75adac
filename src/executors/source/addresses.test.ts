import { expect, it } from 'vitest'
import { isDeeper, literalAddress, placeOf } from './addresses.ts'

it.each([
  ['93.184.216.34', 'public'],
  ['2606:2800:220:1::1', 'public'],
  ['10.1.2.3', 'private'],
  ['172.31.255.255', 'private'],
  ['172.32.0.1', 'public'],
  ['192.168.0.1', 'private'],
  ['100.64.0.1', 'private'],
  ['fd12::1', 'private'],
  ['127.0.0.1', 'loopback'],
  ['0.0.0.0', 'loopback'],
  ['::1', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['169.254.169.254', 'link-local'],
  ['::ffff:169.254.169.254', 'link-local'],
  ['::ffff:a9fe:a9fe', 'link-local'],
  ['fe80::1', 'link-local'],
  ['fd00:ec2::254', 'link-local'],
  ['100.100.100.200', 'link-local'],
])('%s is %s', (address, place) => {
  expect(placeOf(address)).toBe(place)
})

it('orders places by how far inside a network they are', () => {
  expect(isDeeper('loopback', 'public')).toBe(true)
  expect(isDeeper('link-local', 'loopback')).toBe(true)
  expect(isDeeper('private', 'private')).toBe(false)
})

it('tells addresses from names', () => {
  expect(['[::1]', '10.0.0.1', 'host.example'].map(literalAddress)).toEqual(['::1', '10.0.0.1', undefined])
})
