import { expect, it } from 'vitest'
import { printable, shownName } from './printable.ts'

it('what would steer a terminal is shown, and colours are left', () => {
  expect(printable('\u001b[31mred\u001b[39m \u001b[1;4mbold')).toBe('\u001b[31mred\u001b[39m \u001b[1;4mbold')
  expect(printable('\u001b]0;title\u0007 \u001b[2J \u009b1A up\rover')).toBe(
    '\\u001b]0;title\\u0007 \\u001b[2J \\u009b1A up\\u000dover',
  )
  expect(printable('photo\u202egpj.exe')).toBe('photo\\u202egpj.exe')
  expect(printable('a\tb\nc é 日本 😀')).toBe('a\tb\nc é 日本 😀')
})

it('a name with a newline or a colour stays one line that shows it', () => {
  expect(shownName('plain é 日本.nc')).toBe('plain é 日本.nc')
  expect(shownName('new\nline')).toBe(String.raw`"new\nline"`)
  expect(shownName('\u001b[31mred')).toBe(String.raw`"\u001b[31mred"`)
  expect(shownName('gpj\u202e')).toBe(String.raw`"gpj\u202e"`)
})
