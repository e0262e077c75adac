/**
 * Types that public signatures are made of and that nobody has reason to name: they compute what a future or a task
 * gives. Everything else that is reached is exported too. A name that is not reached any more is an error.
 */
export const plumbing: readonly string[] = [
  'Answer',
  'AnyInputs',
  'callReasons',
  'catalogue',
  'Digest',
  'dirOf',
  'dirSchema',
  'ExitOptions',
  'FutureFields',
  'FutureRef',
  'HeldRef',
  'Inputs',
  'Outputs',
  'pythonEnv',
  'pythonTask',
  'pythonWorkflow',
  'Resolved',
  'Returned',
  'RunId',
  'runStates',
  'ShapeOf',
  'ValueOf',
  'WithoutContext',
  'WorkflowInput',
  'WorkflowOutput',
]
