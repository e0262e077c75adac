/** Words as a shell would read them, with quotes and nothing else: `podman --root "/a b"`. */
export function wordsOf(text: string): string[] {
  const words: string[] = []
  for (const [found] of text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g))
    words.push(found.replace(/"([^"]*)"|'([^']*)'/g, (_, double = '', single = '') => `${double}${single}`))
  return words
}
