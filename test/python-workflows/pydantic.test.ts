import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../src/executors/python/environment.ts'
import { Project } from '../cli/almanac.ts'

const flow = `
from datetime import date
from pydantic import BaseModel, Field
from almanac import task, workflow

class Night(BaseModel):
    on: date
    seeing: float = Field(gt=0)

class Plan(BaseModel):
    nights: list[Night]
    gain: int = 2

@task
def better(night: Night, by: int) -> Night:
    assert type(night) is Night and type(night.on) is date
    return Night(on=night.on, seeing=night.seeing / by)

@task
def bad() -> Night:
    return {"on": "2026-01-31", "seeing": -1}

@workflow
async def main(plan: Plan) -> Plan:
    nights = [await better(night, plan.gain) for night in plan.nights]
    assert all(type(one) is Night for one in nights)
    return Plan(nights=nights, gain=plan.gain)

@workflow
async def misfit():
    await bad()
`

let project: Project

beforeAll(async () => {
  const requirements = fileURLToPath(new URL('pydantic-requirements.txt', import.meta.url))
  const { python } = await ensurePythonEnv({ requirements }, { onProgress: () => undefined })
  const { folder } = await Project.make({ 'flow.py': flow })
  project = Project.at(folder, { ALMANAC_PYTHON: python })
})
afterAll(() => project.remove())

it('models of pydantic are the schema of inputs, what tasks get, what is awaited and what is given', async () => {
  const plan = { nights: [{ on: '2026-01-31', seeing: 1.5 }] }
  const { state, output } = await project.json('run', 'flow.py', '--input', `plan=${JSON.stringify(plan)}`)
  expect({ state, output }).toEqual({
    state: 'succeeded',
    output: { nights: [{ on: '2026-01-31', seeing: 0.75 }], gain: 2 },
  })
})

it('what does not fit a model of pydantic is refused, an input before anything runs', async () => {
  const plan = { nights: [{ on: '2026-01-31', seeing: 0 }] }
  const refused = await project.json('run', 'flow.py', '--input', `plan=${JSON.stringify(plan)}`)
  expect(refused).toMatchObject({ code: 'ALM_INPUT_INVALID' })
  expect(await project.json('run', 'flow.py:misfit')).toMatchObject({
    state: 'failed',
    error: {
      code: 'ALM_SCHEMA',
      message: expect.stringMatching(/^What bad gave is not what[\s\S]*seeing[\s\S]*greater than 0/),
    },
  })
})
