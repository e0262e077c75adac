/** What pure folders use of every platform, for tsconfig.pure.json alone: elsewhere the platform declares it. */
declare class URL {
  constructor(url: string, base?: string | URL)
  static canParse(url: string, base?: string): boolean
  readonly host: string
  readonly hostname: string
  readonly href: string
  readonly origin: string
  readonly pathname: string
  readonly port: string
  readonly protocol: string
  hash: string
  password: string
  search: string
  username: string
  readonly searchParams: URLSearchParams
}

declare class URLSearchParams {
  constructor(query?: string)
  [Symbol.iterator](): IterableIterator<[name: string, value: string]>
}

interface ErrorConstructor {
  captureStackTrace(target: object, above?: (...args: never[]) => unknown): void
}
