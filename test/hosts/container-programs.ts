import { testImage } from '../../src/executors/container/test-body.ts'
import { program } from './heads.ts'

/** Programs in containers: files and values between them, and exit codes that are tried again. */
export const containerTasks = program(
  `import { container, type File, file } from 'almanac'
const inside = { image: '${testImage}', pull: 'never', entrypoint: [] } as const
const write = container.task({ ...inside, name: 'write', run: ['sh', '-c', 'printf %s "$0" > "$1"', '{params.text}', '{out.page}'], input: { text: json<string>() }, output: { page: file('page.txt') } })
const size = container.task({ ...inside, name: 'size', run: ['sh', '-c', 'echo {{\\\\"size\\\\": $(wc -c < $0)}} > $ALMANAC_RESULT', '{in.page}'], input: { page: file() }, output: { size: json<number>() } })
const ends = container.task({ ...inside, name: 'ends', run: ['sh', '-c', 'exit {params.code}'], input: { code: json<number>() }, retryExits: [3], retries: { count: 1, delay: 1 } })
export default workflow('main', async () => {
  const page = write({ text: 'five!' }).page
  const codes: string[] = []
  for (const code of [3, 4]) try { await ends({ code }) } catch (error) { codes.push((error as AlmanacError).code) }
  return { size: size({ page }).size, page: (await page).size, codes }
})`,
  `inside = {"image": "${testImage}", "pull": "never", "entrypoint": []}
write = container.task(run=["sh", "-c", 'printf %s "$0" > "$1"', "{params.text}", "{out.page}"], name="write", inputs={"text": str}, outputs={"page": file("page.txt")}, **inside)
size = container.task(run=["sh", "-c", 'echo {{\\\\"size\\\\": $(wc -c < $0)}} > $ALMANAC_RESULT', "{in.page}"], name="size", inputs={"page": File}, outputs={"size": int}, **inside)
ends = container.task(run=["sh", "-c", "exit {params.code}"], name="ends", inputs={"code": int}, retry_exits=[3], retries={"count": 1, "delay": 0.001}, **inside)
@workflow
async def main():
    page = write(text="five!").page
    codes = []
    for code in [3, 4]:
        try: await ends(code=code)
        except AlmanacError as error: codes.append(error.code)
    return {"size": size(page=page).size, "page": (await page).size, "codes": codes}`,
)
