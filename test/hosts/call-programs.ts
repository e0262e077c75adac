import { program } from './heads.ts'

export const equalCalls = program(
  `export default workflow('main', async () => {
  const twice = [double(1), double(1)]
  const keyed = [double.key('a')(1), double.key('b')(1)]
  return { twice, keyed, nested: all({ of: [double(2), { deep: double(3) }] }) }
})`,
  `@workflow
async def main():
    twice = [double(1), double(1)]
    keyed = [double.key("a")(1), double.key("b")(1)]
    return {"twice": twice, "keyed": keyed, "nested": almanac.all({"of": [double(2), {"deep": double(3)}]})}`,
)

/** Chains of different lengths: the shorter one arrives first, and does so again. */
export const arrivals = program(
  `export default workflow('main', async () => {
  const order: string[] = []
  const chain = async (name: string, steps: number) => {
    let n = 1
    for (let i = 0; i < steps; i++) n = await double.key(name + i)(n)
    order.push(name)
    return n
  }
  const values = await Promise.all([chain('long', 4), chain('short', 1), chain('middle', 2)])
  return { order, values }
})`,
  `@workflow
async def main():
    order = []
    async def chain(name, steps):
        n = 1
        for i in range(steps): n = await double.key(f"{name}{i}")(n)
        order.append(name)
        return n
    values = await asyncio.gather(chain("long", 4), chain("short", 1), chain("middle", 2))
    return {"order": order, "values": values}`,
)

export const mapped = program(
  `export default workflow('main', { input: { items: json<number[]>() } }, async ({ items }) => {
  const steps = async (n: number) => double(await double(n))
  const branches = await map(items.values(), steps, { key: String, name: 'steps' }).all()
  return { branches, calls: double.map(new Set(items)).all(), later: double.map(all(items.map((n) => n + 1))) }
})`,
  `@workflow
async def main(items: list[int]):
    async def steps(n): return await double(await double(n))
    branches = await map(steps, iter(items), key=str, name="steps").all()
    return {"branches": branches, "calls": double.map(n for n in items).all(), "later": double.map(gather(*[n + 1 for n in items]))}`,
)

export const children = program(
  `export const child = workflow('child', { input: { n: json(z.number().int()) } }, async ({ n }): Promise<number> => {
  if (n < 0) throw new RangeError('below ' + n)
  return n === 0 ? 0 : (await child({ n: n - 1 })) + (await double(n))
})
export default workflow('main', async () => {
  const values = [await child({ n: 2 }), await child.key('b')({ n: double(1) })]
  const staged = await run.stage('last', async () => child({ n: 1 }))
  let why = ''
  try { await child({ n: -1 }) } catch (error) { why = (error as Error).message }
  let misfit = ''
  try { await child({ n: 'x' as never }) } catch (error) { misfit = (error as AlmanacError).code }
  return { values, staged, why, misfit }
})`,
  `@workflow
async def child(n: int):
    if n < 0: raise ValueError(f"below {n}")
    return 0 if n == 0 else (await child(n=n - 1)) + (await double(n))
@workflow
async def main():
    values = [await child(n=2), await child.key("b")(n=double(1))]
    staged = await run.stage("last", lambda: child(n=1))
    why = misfit = ""
    try: await child(n=-1)
    except AlmanacError as error: why = error.args[0]
    try: await child(n="x")
    except AlmanacError as error: misfit = error.code
    return {"values": values, "staged": staged, "why": why, "misfit": misfit}`,
)

export const remembered = program(
  `export default workflow('main', async () => {
  run.event('begun', { n: 1 })
  const at = await run.now()
  const chance = await run.random()
  run.metric('figure', 0.5, { step: 2 })
  run.artifact('page', { kind: 'markdown', text: 'It **went**.' })
  run.artifact('rows', { kind: 'table', rows: [{ n: 1, at: null }] })
  run.progress(1, 2)
  run.progress(2)
  await run.sleep(1)
  return { at: at.getTime(), chance }
})`,
  `@workflow
async def main():
    run.event("begun", n=1)
    at = await run.now()
    chance = await run.random()
    run.metric("figure", 0.5, step=2)
    run.artifact("page", "markdown", text="It **went**.")
    run.artifact("rows", "table", rows=[{"n": 1, "at": None}])
    run.progress(1, 2)
    run.progress(2)
    await run.sleep(0.001)
    return {"at": round(at.timestamp() * 1000), "chance": chance}`,
)

/** Commands and scripts: files and values between them, exit codes that are tried again, and what a workflow is told. */
export const programTasks = program(
  `import { command, type File, file, script } from 'almanac'
const write = command.task({ name: 'write', run: ['sh', '-c', 'printf %s "$0" > "$1"', '{params.text}', '{out.page}'], input: { text: json<string>() }, output: { page: file('page.txt') } })
const size = script.task({ name: 'size', lang: 'sh', source: "echo '{\\"size\\":' $(wc -c < $ALMANAC_IN_page) '}' > $ALMANAC_RESULT", input: { page: file() }, output: { size: json<number>() } })
const ends = command.task({ name: 'ends', run: ['sh', '-c', 'exit {params.code}'], input: { code: json<number>() }, retryExits: [3], retries: { count: 1, delay: 1 } })
export default workflow('main', async () => {
  const page = write({ text: 'five!' }).page
  const codes: string[] = []
  for (const code of [3, 4]) try { await ends({ code }) } catch (error) { codes.push((error as AlmanacError).code) }
  return { size: size({ page }).size, page: (await page).size, codes }
})`,
  `write = command(["sh", "-c", 'printf %s "$0" > "$1"', "{params.text}", "{out.page}"], name="write", inputs={"text": str}, outputs={"page": file("page.txt")})
size = script("echo '{\\"size\\":' $(wc -c < $ALMANAC_IN_page) '}' > $ALMANAC_RESULT", name="size", lang="sh", inputs={"page": File}, outputs={"size": int})
ends = command(["sh", "-c", "exit {params.code}"], name="ends", inputs={"code": int}, retry_exits=[3], retries={"count": 1, "delay": 0.001})
@workflow
async def main():
    page = write(text="five!").page
    codes = []
    for code in [3, 4]:
        try: await ends(code=code)
        except AlmanacError as error: codes.append(error.code)
    return {"size": size(page=page).size, "page": (await page).size, "codes": codes}`,
)

export const documents = program(
  `const calibration = run.context('calibration', { schema: z.object({ gain: z.number(), flags: z.array(z.string()).default([]) }), initial: { gain: 1, flags: [] } })
export const image = task('image', { context: { calibration } }, (n: number, { context }: TaskContext) => n * (context['calibration'] as { gain: number }).gain)
export default workflow('main', async () => {
  const before = await calibration.get()
  const first = await image(2)
  const put = await calibration.put({ gain: first + 1, flags: ['A'] })
  const patched = await calibration.patch({ gain: 5 })
  return { before, first, put, patched, second: image(2), version: calibration.get().version }
})`,
  `from dataclasses import dataclass, field
@dataclass
class Calibration:
    gain: int
    flags: list[str] = field(default_factory=list)
calibration = run.context("calibration", schema=Calibration, initial={"gain": 1, "flags": []})
@task(context={"calibration": calibration})
def image(n, calibration): return n * calibration["gain"]
@workflow
async def main():
    before = await calibration.get()
    first = await image(2)
    put = await calibration.put({"gain": first + 1, "flags": ["A"]})
    patched = await calibration.patch({"gain": 5})
    return {"before": before, "first": first, "put": put, "patched": patched, "second": image(2), "version": calibration.get().version}`,
)

/** What they give is declared, and known late. */
export const declared = program(
  `const part = workflow('part', { input: { n: json(z.number()) }, output: { n: json(z.number()), twice: json(z.number()) } }, async ({ n }) => ({ n, twice: double(n) }) as never)
export default workflow('main', { output: { parts: json(z.array(z.object({ n: z.number(), twice: z.number() }))) } }, async () => {
  const one = await part({ n: 1 })
  return { parts: [one, part({ n: one.twice })] } as never
})`,
  `@dataclass
class Part:
    n: int
    twice: int
class Parts(TypedDict):
    parts: list[Part]
@workflow
async def part(n: int) -> Part: return Part(n, double(n))
@workflow
async def main() -> Parts:
    one = await part(n=1)
    return {"parts": [one, part(n=one.twice)]}`,
)

/** Files, directories and what is published of them. */
export const directories = program(
  `import { readFile, writeFile } from 'node:fs/promises'
import { dataset, dir, type File, file } from 'almanac'
export const count = task('count', { output: { words: json<number>(), copy: file() } }, async (text: File, { out }: TaskContext) => {
  const read = await readFile(text.at ?? '', 'utf8')
  await writeFile(out['copy'] ?? '', read.toUpperCase())
  return read.split(' ').length
})
export default workflow('main', { input: { raw: dir() } }, async ({ raw }) => {
  const counted = count.map(raw)
  const large = raw.filter(counted.words, (n) => (n as number) > 1)
  const published = await dataset('texts').publish(dir.of({ large, copies: counted.copy }))
  const again = await dataset('texts').read()
  const named = raw.filter((path) => path !== 'a.txt')
  return { version: published.version, entries: again.entries, words: counted.words.all(), named: (await named).entries }
})`,
  `from pathlib import Path
@task(outputs={"words": int, "copy": File})
def count(text: Path, copy: Path):
    read = text.read_text()
    copy.write_text(read.upper())
    return len(read.split(" "))
@workflow
async def main(raw: Dir):
    counted = count.map(raw)
    large = raw.filter(counted.words, lambda n, path: n > 1)
    published = await dataset("texts").publish(Dir.of(large=large, copies=counted.copy))
    again = await dataset("texts").read()
    named = raw.filter(lambda path: path != "a.txt")
    return {"version": published["version"], "entries": again.entries, "words": counted.words.all(), "named": (await named).entries}`,
)

/** What fails is left out, and what needs it. */
export const skipped = program(
  `export const risky = task('risky', { onFailure: 'skip' }, (n: number) => { if (n === 2) throw new Error('not two'); return n })
export default workflow('main', async () => {
  const how = await settled([1, 2, 3].map((n) => double(risky(n))))
  let code = ''
  try { await double(risky.key('again')(2)) } catch (error) { code = (error as AlmanacError).code }
  return { how: how.map((one) => (one.ok ? one.value : one.error.code)), code }
})`,
  `@task(on_failure="skip")
def risky(n):
    if n == 2: raise RuntimeError("not two")
    return n
@workflow
async def main():
    how = await settled([double(risky(n)) for n in [1, 2, 3]])
    code = ""
    try: await double(risky.key("again")(2))
    except AlmanacError as error: code = error.code
    return {"how": [one["value"] if one["ok"] else one["error"]["code"] for one in how], "code": code}`,
)
