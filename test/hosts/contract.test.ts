import { workflowHostContract } from './contract.ts'

workflowHostContract('ts')
workflowHostContract('py')
workflowHostContract('py', 'plain')
