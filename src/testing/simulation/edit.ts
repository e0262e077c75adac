import type { SeededChance } from '../seeded-chance.ts'
import type { Block, Program, Step } from './program.ts'
import { shapes } from './shapes.ts'

/** A change of the program between two lives of a run, as its author might make. */
export function editProgram(program: Program, chance: SeededChance, site: number): Program {
  if (program.files !== undefined && chance.number() < 0.4)
    return { ...program, files: changed(program.files, chance) }
  switch (chance.below(5)) {
    case 0:
      return recoded(program, chance.below(shapes.length), 0)
    case 1:
      return recoded(program, chance.below(shapes.length), 1)
    case 2:
      return { ...program, input: program.input + 1 + chance.below(5) }
    case 3:
      return { ...program, main: inserted(program.main, chance, site) }
    default:
      return { ...program, main: removed(program.main, chance) }
  }
}

/** A file more, one less, or other content in one; the names in order. */
function changed(files: Readonly<Record<string, number>>, chance: SeededChance): Record<string, number> {
  const entries = Object.entries(files)
  const at = chance.below(entries.length + 1)
  const [name] = entries[at] ?? []
  if (name === undefined || chance.number() < 0.3)
    entries.push([`${at}x${chance.below(1000)}.txt`, chance.below(1000)])
  else if (chance.number() < 0.5) entries.splice(at, 1)
  else entries[at] = [name, chance.below(1000)]
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Other code; `meaning`: that gives something else. */
function recoded(program: Program, shape: number, meaning: number): Program {
  const codes = program.codes.map((code, i) =>
    i === shape ? { text: code.text + 1, meaning: code.meaning + meaning } : code,
  )
  return { ...program, codes }
}

/** A call more, that nobody uses. Its variable is none of the others'. */
function inserted(block: Block, chance: SeededChance, site: number): Block {
  const at = chance.below(block.steps.length + 1)
  const step: Step = {
    op: 'call',
    site,
    to: 10_000 + site,
    task: 0,
    args: [{ kind: 'variable', variable: 0 }],
    equal: false,
  }
  const around = block.steps[at]
  if (around !== undefined && (around.op === 'try' || around.op === 'loop') && chance.number() < 0.7) {
    return { ...block, steps: block.steps.with(at, { ...around, body: inserted(around.body, chance, site) }) }
  }
  return { ...block, steps: block.steps.toSpliced(at, 0, step) }
}

/** A call less, if there is one that was inserted before. */
function removed(block: Block, chance: SeededChance): Block {
  const found = block.steps.findIndex((step) => step.to >= 10_000)
  if (found >= 0) return { ...block, steps: block.steps.toSpliced(found, 1) }
  const unused = block.steps.findLastIndex((step) => step.op === 'call' && !uses(block, step.to))
  return unused >= 0 && chance.number() < 0.8 ? { ...block, steps: block.steps.toSpliced(unused, 1) } : block
}

/** Does anything use the variable? Its number stands nowhere else under these names. */
function uses(block: Block, variable: number): boolean {
  const text = JSON.stringify(block)
  return (
    text.includes(`"variable":${variable}}`) ||
    text.includes(`"variable":${variable},`) ||
    text.includes(`"of":${variable},`) ||
    text.includes(`"of":${variable}}`)
  )
}
