import { expect, it } from 'vitest'
import { GivenOrders } from './given-orders.ts'

const after = (...orders: readonly number[]): GivenOrders => {
  const given = new GivenOrders()
  for (const order of orders) given.give(order)
  return given
}

it('knows the highest order given since any moment', () => {
  const given = after(0, 5, 2, 3, 1)
  expect([0, 1, 2, 3, 4, 5].map((moment) => given.since(moment))).toEqual([5, 5, 3, 3, 1, -1])
  expect({ count: given.count, highest: given.highest }).toEqual({ count: 5, highest: 5 })
})

it('knows of nothing before anything was given', () => {
  expect({ since: after().since(0), highest: after().highest }).toEqual({ since: -1, highest: -1 })
})

it('agrees with looking through all of them', () => {
  const orders = Array.from({ length: 200 }, (_, i) => (i * 7919) % 211)
  const given = after(...orders)
  const looked = orders.map((_, moment) => Math.max(...orders.slice(moment)))
  expect(orders.map((_, moment) => given.since(moment))).toEqual(looked)
})
