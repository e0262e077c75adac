import type { Class, Expression, Node, Program } from 'oxc-parser'

/** Syntax trees of TypeScript and JavaScript, and the few questions that are asked of them. */

export interface Parser {
  /** Undefined for what has errors: the bundler says them. */
  parse(path: string, source: string): Program | undefined
  childrenOf(node: Node): readonly Node[]
}

/** Loaded when first needed: what is cached needs no parser. */
export async function openParser(): Promise<Parser> {
  const { parseSync, visitorKeys } = await import('oxc-parser')
  return {
    parse: (path, source) => {
      const { program, errors } = parseSync(path, source)
      return errors.length === 0 ? program : undefined
    },
    childrenOf: (node) =>
      (visitorKeys[node.type] ?? []).flatMap((key) => {
        const child = (node as unknown as Record<string, unknown>)[key]
        return (Array.isArray(child) ? child : [child]).filter(isNode)
      }),
  }
}

const isNode = (child: unknown): child is Node =>
  typeof child === 'object' && child !== null && 'type' in child

/** Visits a node and all below it, parents first; `leave` after the children. Ancestors: the nearest last. */
export function walk(
  parser: Parser,
  node: Node,
  enter: (node: Node, ancestors: readonly Node[]) => void,
  leave?: (node: Node) => void,
): void {
  const ancestors: Node[] = []
  const visit = (one: Node): void => {
    enter(one, ancestors)
    ancestors.push(one)
    for (const child of parser.childrenOf(one)) visit(child)
    ancestors.pop()
    leave?.(one)
  }
  visit(node)
}

/** Is what stands in it evaluated later than the module itself? Class bodies count as that too. */
export const opensScope = (node: Node): boolean =>
  node.type === 'FunctionDeclaration' ||
  node.type === 'FunctionExpression' ||
  node.type === 'ArrowFunctionExpression' ||
  node.type === 'ClassDeclaration' ||
  node.type === 'ClassExpression'

/** The expression without parentheses and types around it. */
export function bare(node: Node): Node {
  switch (node.type) {
    case 'ParenthesizedExpression':
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
    case 'TSTypeAssertion':
    case 'TSInstantiationExpression':
    case 'ChainExpression':
      return bare(node.expression)
    default:
      return node
  }
}

/** `python` of `python.env(…).with(…)`. */
export function rootOf(node: Node): string | undefined {
  for (let at = bare(node); ; ) {
    if (at.type === 'Identifier') return at.name
    if (at.type === 'MemberExpression') at = bare(at.object)
    else if (at.type === 'CallExpression') at = bare(at.callee)
    else return undefined
  }
}

/** `b` of `a.b` and `a['b']`. */
export function propertyOf(node: Node): string | undefined {
  if (node.type !== 'MemberExpression') return undefined
  if (!node.computed) return node.property.type === 'Identifier' ? node.property.name : undefined
  return textOf(node.property)
}

/** Text of a literal, or of a template without gaps. */
export function textOf(node: Node): string | undefined {
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : undefined
  if (node.type !== 'TemplateLiteral' || node.expressions.length > 0) return undefined
  return node.quasis[0]?.value.cooked ?? undefined
}

/** Name of an object literal's key. */
export function keyOf(property: Node): string | undefined {
  if (property.type !== 'Property') return undefined
  if (property.computed) return textOf(property.key)
  return property.key.type === 'Identifier' ? property.key.name : textOf(property.key)
}

export interface ImportedName {
  readonly from: string
  /** `*` for the whole namespace */
  readonly name: string
}

/** What a module's names stand for, by the names it uses: values only, no types. */
export function importedNames(program: Program): ReadonlyMap<string, ImportedName> {
  const names = new Map<string, ImportedName>()
  for (const statement of program.body) {
    if (statement.type !== 'ImportDeclaration' || statement.importKind === 'type') continue
    const from = statement.source.value
    for (const one of statement.specifiers) {
      if (one.type === 'ImportDefaultSpecifier') names.set(one.local.name, { from, name: 'default' })
      else if (one.type === 'ImportNamespaceSpecifier') names.set(one.local.name, { from, name: '*' })
      else if (one.importKind !== 'type') {
        const { imported } = one
        names.set(one.local.name, {
          from,
          name: imported.type === 'Identifier' ? imported.name : imported.value,
        })
      }
    }
  }
  return names
}

/** Imports for the sake of what they do: `import 'x'`. */
export const effectImports = (program: Program): ReadonlySet<string> =>
  new Set(
    program.body.flatMap((statement) =>
      statement.type === 'ImportDeclaration' && statement.specifiers.length === 0
        ? [statement.source.value]
        : [],
    ),
  )

/** Names under which a module's own names are exported. */
export function exportedNames(program: Program): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const statement of program.body) {
    if (statement.type === 'ExportDefaultDeclaration') {
      const value = bare(statement.declaration)
      if (value.type === 'Identifier') names.set(value.name, 'default')
    }
    if (statement.type !== 'ExportNamedDeclaration' || statement.source !== null) continue
    for (const { local, exported } of statement.specifiers) {
      if (local.type !== 'Identifier') continue
      names.set(local.name, exported.type === 'Identifier' ? exported.name : exported.value)
    }
    if (statement.declaration?.type !== 'VariableDeclaration') continue
    for (const { id } of statement.declaration.declarations)
      if (id.type === 'Identifier') names.set(id.name, id.name)
  }
  return names
}

/** Initialised names of a top-level statement, and the value of a default export. */
export function initialisers(
  statement: Program['body'][number],
): readonly { readonly node: Node; readonly name: string | undefined; readonly value: Expression }[] {
  if (statement.type === 'ExportDefaultDeclaration') {
    const value = statement.declaration
    if (value.type === 'FunctionDeclaration' || value.type === 'ClassDeclaration') return []
    if (value.type === 'TSInterfaceDeclaration') return []
    return [{ node: statement, name: undefined, value: value as Expression }]
  }
  const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
  if (declared?.type !== 'VariableDeclaration') return []
  return declared.declarations.flatMap((one) =>
    one.init === null
      ? []
      : [{ node: one, name: one.id.type === 'Identifier' ? one.id.name : undefined, value: one.init }],
  )
}

/**
 * Does a top-level statement only say what names stand for, so that when it is executed makes no difference?
 * Functions, plain classes, imports of names, and names of functions, plain data and definitions.
 */
export function isInert(statement: Program['body'][number], isDefinition: (value: Node) => boolean): boolean {
  const declared =
    statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportDefaultDeclaration'
      ? statement.declaration
      : statement
  if (declared === null || declared.type === 'FunctionDeclaration') return true
  if (declared.type === 'ImportDeclaration') return declared.specifiers.length > 0
  if (declared.type === 'ClassDeclaration') return isPlainClass(declared)
  const parts = initialisers(statement)
  return parts.length > 0 && parts.every(({ value }) => isInertValue(value, isDefinition))
}

function isInertValue(value: Node, isDefinition: (value: Node) => boolean): boolean {
  const node = bare(value)
  const every = (nodes: readonly (Node | null)[]): boolean =>
    nodes.every((one) => one !== null && isInertValue(one, isDefinition))
  switch (node.type) {
    case 'Literal':
    case 'ArrowFunctionExpression':
    case 'FunctionExpression':
      return true
    case 'UnaryExpression':
      return every([node.argument])
    case 'BinaryExpression':
      return every([node.left, node.right])
    case 'TemplateLiteral':
      return every(node.expressions)
    case 'ArrayExpression':
      return every(node.elements)
    case 'ObjectExpression':
      return node.properties.every((one) => one.type === 'Property' && !one.computed && every([one.value]))
    default:
      return isDefinition(node)
  }
}

const isPlainClass = ({ superClass, decorators, body }: Class): boolean =>
  superClass === null &&
  decorators.length === 0 &&
  body.body.every(
    (one) =>
      (one.type === 'MethodDefinition' || (one.type === 'PropertyDefinition' && !one.static)) &&
      !one.computed &&
      one.decorators.length === 0,
  )
