/** Paths as they look from where the command was typed. */
export function relativePath(path: string): string {
  const here = `${process.cwd()}/`
  return path.startsWith(here) ? path.slice(here.length) : path
}
