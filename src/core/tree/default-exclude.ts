/** Files that are half there, or that tools leave beside data: no part of a scanned directory unless asked for. */
export const defaultExclude: readonly string[] = [
  '*.part',
  '*.partial',
  '*.crdownload',
  '*.tmp',
  '*~',
  '*.swp',
  '*.idx',
  '.DS_Store',
  'Thumbs.db',
  '.nfs*',
]
