import { workflowHostContract } from '../testing/workflows/contract.ts'

workflowHostContract('ts')
workflowHostContract('py')
