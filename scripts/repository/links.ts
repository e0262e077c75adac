import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** Links of a Markdown file that lead nowhere: relative paths that are not there, headings that are not in them. */
export function deadLinks(path: string, tree: string): string[] {
  const text = readFileSync(join(tree, path), 'utf8').replaceAll(/^( *)```[\s\S]*?^\1```/gm, '')
  const targets = [...text.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)|<img[^>]+src="([^"]+)"/g)].map(
    (match) => (match[1] ?? match[2]) as string,
  )
  return targets
    .filter((target) => !/^[a-z]+:/.test(target) && !leads(target, path, tree))
    .map((target) => `${path}: ${target} leads nowhere`)
}

function leads(target: string, from: string, tree: string): boolean {
  const [file = '', heading] = target.split('#')
  const path = file === '' ? join(tree, from) : join(tree, dirname(from), decodeURIComponent(file))
  if (relative(tree, path).startsWith('..') || !existsSync(path)) return false
  if (heading === undefined || statSync(path).isDirectory()) return true
  return anchors(readFileSync(path, 'utf8')).has(heading)
}

/** Headings as the usual renderers name them. */
function anchors(text: string): ReadonlySet<string> {
  const names = new Set<string>()
  for (const [, heading = ''] of text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const name = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-')
    for (let n = 0; ; n++) {
      const unique = n === 0 ? name : `${name}-${n}`
      if (names.has(unique)) continue
      names.add(unique)
      break
    }
  }
  return names
}
