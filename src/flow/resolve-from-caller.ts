import { callSite } from './call-site.ts'

/** The absolute path of a file that the author named beside their own. */
export function resolveFromCaller(path: string): string {
  if (path.startsWith('/')) return normalise(path)
  const folder = callSite()?.file.replace(/[^/]*$/, '') ?? '/'
  return normalise(`${folder}${path}`)
}

function normalise(path: string): string {
  const steps: string[] = []
  for (const step of path.split('/')) {
    if (step === '..') steps.pop()
    else if (step !== '.' && step !== '') steps.push(step)
  }
  return `/${steps.join('/')}`
}
