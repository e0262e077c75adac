import type { ErrorRecord } from './records.ts'

/**
 * Every error that Almanac raises, thrown nowhere else. `docs/errors.md` lists all and only these (tested).
 * `{name}` in a message is filled from the details; `hint` says what to do next.
 */
export const catalogue = {
  // authors
  ALM_FUTURE_AS_TEXT: {
    message: 'The result of {task} was turned into text before it is known.',
    hint: 'Await it first, or pass the future to a task.',
  },
  ALM_OUTSIDE: {
    message: '{what} was used outside a workflow.',
    hint: 'Call it inside the function of a workflow.',
  },
  ALM_STUCK: {
    message: 'The workflow waits for something that is not a call of Almanac{what}.',
    hint: 'Await only futures of Almanac in a workflow; timers, fetches and files belong in tasks.',
  },
  ALM_DEFINED_INSIDE: {
    message: 'Task {task} is defined inside a function.',
    hint: 'Define tasks at the top level of a module, where a fingerprint can see all that they use.',
  },
  ALM_NAME_REFUSED: {
    message: '{name} cannot be the name of {what}.',
    hint: 'Use letters, digits, "-", "_" and "."; for outputs none of: then, map, all, filter, dir.',
  },
  ALM_VALUE_REFUSED: {
    message: 'The value at {path} cannot be kept: {why}.',
    hint: 'Pass plain values (null, booleans, numbers, texts, dates, bytes, arrays, plain objects), files, directories or futures.',
  },
  ALM_MAP_OVER: {
    message: '{task}.map goes over a list or a directory, and not over {what}.',
    hint: 'Give it a list, a directory, or a future of one.',
  },
  ALM_OPTION_REFUSED: {
    message: 'Option {option} of {task} is not valid: {why}.',
    hint: 'See docs/authoring.md for the options and their values.',
  },
  ALM_KEY_NEEDED: {
    message: 'Two equal {what} calls are open at once.',
    hint: 'Give each a key of its own.',
  },
  ALM_LIMIT_UNKNOWN: {
    message: 'Task {task} names the limit {limit}, which nobody has declared; {known}.',
    hint: 'Declare it with its capacity: limits in almanac.config.ts, or on workflow(name, { limits }, fn).',
  },
  ALM_LIMIT_TOO_MUCH: {
    message: 'Task {task} takes {units} of the limit {limit}, which has {capacity}.',
    hint: 'It could never run. Take less, or declare a higher capacity.',
  },
  ALM_SCHEMA: {
    message: '{what} does not fit its schema: {issues}.',
    hint: 'Correct the value or the schema.',
  },
  ALM_WORKFLOW_FAILED: {
    message: '{message}',
    hint: 'Correct the workflow and resume the run: what succeeded is kept.',
  },
  ALM_WORKFLOW_DIED: {
    message: 'The Python process of the workflow is gone: {why}.',
    hint: 'See what it printed last, and resume the run: what succeeded is kept.',
  },
  ALM_FIELD_MISSING: {
    message: 'The result of {task} has no {path}: {has}.',
    hint: 'Correct the name, or return it from the task; what is in an array or a file is taken out in a task.',
  },
  ALM_FUTURE_FOREIGN: {
    message: 'A future of {task} belongs to another run.',
    hint: 'Pass values from run to run, not futures.',
  },
  ALM_LOAD_FAILED: { message: '{file} could not be loaded: {why}', hint: 'Correct the file and run again.' },
  ALM_NO_WORKFLOW: {
    message: '{file} exports no workflow.',
    hint: 'Export one by default: export default workflow(…); in Python, put @workflow on a function.',
  },
  ALM_TRIGGER_REFUSED: {
    message: 'Workflow {workflow} cannot be triggered: {why}.',
    hint: 'Export it from its file, so that another process can go on with its run.',
  },
  ALM_DEPTH: {
    message: '{what} would be {depth} deep, and the limit is {limit}.',
    hint: 'A workflow that calls or triggers itself needs an end; `depth` in almanac.config.ts raises the limit.',
  },
  ALM_NESTED: {
    message:
      'A run of {what} would be within {depth} tasks, each in a run of the one before; the limit is {limit}.',
    hint: 'A task that runs a workflow which calls that task needs an end; a workflow can call others itself.',
  },
  // tasks
  ALM_TASK_FAILED: {
    message: '{message}',
    hint: 'Correct the task and resume the run: what succeeded is kept.',
  },
  ALM_TASK_TIMEOUT: {
    message: 'The attempt took longer than {limit}.',
    hint: 'Give the task a larger timeout, or make it faster.',
  },
  ALM_TASK_SILENT: {
    message: 'The attempt gave no sign of life for {limit}.',
    hint: 'Report progress or a heartbeat in long steps, or give the task a larger heartbeat.',
  },
  ALM_TASK_MEMORY: {
    message: 'The attempt was ended for its memory: {why}.',
    hint: 'Give the task more memory, or retries with a memory factor.',
  },
  ALM_TASK_EXIT: {
    message: '{command} ended with exit code {exit}.',
    hint: 'Read its log: almanac logs RUN TASK.',
  },
  ALM_TASK_SIGNAL: {
    message: '{command} was ended by {signal}.',
    hint: 'Read its log: almanac logs RUN TASK.',
  },
  ALM_TASK_NOT_FOUND: { message: '{what} was not found: {why}', hint: 'Correct the name or install it.' },
  ALM_TASK_WROTE_INPUT: {
    message: 'The task wrote to its input {path}.',
    hint: 'Copy the input to an output path before changing it.',
  },
  ALM_INPUT_CHANGED_MEANWHILE: {
    message: '{path} changed while {task} ran.',
    hint: 'If {task} wrote to it, restore the file, and have the task copy its input to an output path before changing it; if something else did, resume the run when the file is complete.',
  },
  ALM_TASK_DIED: {
    message: 'The process of the task ended: {why}.',
    hint: 'A task must return or raise, and not end its process; if it crashed, run it alone and look at its log. Retries try it again.',
  },
  ALM_WORKER_LOST: {
    message: 'The worker that ran the attempt died: {why}.',
    hint: 'A few losses are made good by further attempts, which cost no retries; if it dies each time, run the task alone and look at its log.',
  },
  ALM_REBUILD_FAILED: {
    message:
      'A result of {task} that only lived in a worker’s memory was lost, and could not be made again: {message}',
    hint: 'Correct {task} and resume the run: what succeeded is kept. With persist: true its results are written out at once.',
  },
  ALM_THREAD_TASK: {
    message: 'The function of {task} cannot be found in a thread: {why}.',
    hint: "Define the task at the top level of a module that can be loaded again, with nothing but that module's own names in its function; or leave out run: 'thread'.",
  },
  ALM_TASK_SIGNATURE: {
    message: '{function} cannot be called with what the task gives it: {why}.',
    hint: 'Make the parameters of the function agree with the inputs and outputs of the task.',
  },
  ALM_RESULT_REFUSED: {
    message: 'The result of the task cannot be kept: {why}.',
    hint: 'Return plain values or arrays, or write a file to a declared output.',
  },
  ALM_OUTPUT_MISSING: {
    message: 'The declared output {name} was not left at its path.',
    hint: 'Write it to the path that the task is given.',
  },
  ALM_OUTPUT_REFUSED: {
    message: 'The declared output {name} cannot be kept: {why}.',
    hint: 'Leave there what is declared: a file, or a directory of files.',
  },
  ALM_OUTPUT_LIMIT: {
    message: 'The attempt wrote more than {limit} of {what}.',
    hint: 'Write large results to an output file.',
  },
  ALM_NO_EXECUTOR: {
    message: 'Nothing here can run {task} ({kind}).',
    hint: 'Open Almanac with an executor for it.',
  },
  ALM_UPSTREAM: {
    message: 'Not run, because {task} failed: {message}',
    hint: 'Correct that one and resume the run.',
  },
  ALM_CANCELLED: { message: 'Cancelled{by}.', hint: 'Resume the run to go on.' },
  ALM_MAP_FAILED: {
    message: '{failed} of {all} entries failed; the first is {entry}: {message}',
    hint: 'Correct them and resume; the others are kept. .settled() gives both kinds.',
  },
  // data
  ALM_DATA_UNKNOWN: { message: 'There is no data {name}.', hint: 'See almanac data ls.' },
  ALM_DATASET_NAME: {
    message: '{name} cannot be the name of a dataset: {why}.',
    hint: 'Use names like forecast/index: letters, digits, "-", "_" and ".", with "/" between parts.',
  },
  ALM_DATASET_MOVED: {
    message:
      'Dataset {dataset} is at version {newest} (made by {maker}), not at {seen} as it was when it was read.',
    hint: 'Resume the run: it reads the newest version and goes on from there.',
  },
  ALM_DATASET_INCOMPLETE: {
    message:
      'The directory for dataset {dataset} is incomplete: {failed} entries of {task} failed, the first is {entry}.',
    hint: 'Correct them and resume, or publish with { incomplete: true }.',
  },
  ALM_VERSION_GONE: {
    message: 'Version {version} of dataset {dataset} can no longer be read: {why}.',
    hint: 'Choose another version (almanac data log {dataset}); add the dataset with --keep to keep every version.',
  },
  ALM_CONTEXT_NAME: {
    message: '{name} cannot be the name of a document.',
    hint: 'Use letters, digits, "-", "_" and "."; on the command line workflow:NAME/DOCUMENT, project:NAME/DOCUMENT or run:ID/DOCUMENT.',
  },
  ALM_CONTEXT_UNKNOWN: {
    message: 'There is no document {document}.',
    hint: 'Write it first (put, or almanac context set), give it a value to begin with (initial: …), or see almanac context ls.',
  },
  ALM_CONTEXT_MOVED: {
    message:
      'Document {document} is at version {newest} (written by {maker}), not at {seen} as it was when it was read.',
    hint: 'Get it again and put what follows from that; or resume the run, which reads the newest version.',
  },
  ALM_CONTEXT_VALUE: {
    message: 'A document cannot hold the value at {path}: {why}.',
    hint: 'Documents are plain JSON of 1 MiB at most; pass arrays as lists, and keep large data in files or datasets.',
  },
  ALM_INPUT_MISSING: { message: '{path} does not exist.', hint: 'Check the path.' },
  ALM_INPUT_UNREADABLE: {
    message: '{path} cannot be read: {why}.',
    hint: 'Give this user the right to read it, or exclude it.',
  },
  ALM_INPUT_CHANGED: {
    message: '{path} has changed since it was read.',
    hint: 'When the file is complete, give the command again, or resume the run.',
  },
  ALM_INPUT_URL_CHANGED: {
    message: '{url} is no longer what the run looked at: {why}.',
    hint: 'Start a new run, which looks again; what does not depend on it is not executed again.',
  },
  ALM_MOVE_HALF: {
    message:
      '{why} Nothing is gone from its place, but {count} files that were to be moved are read only and share their bytes with the store, {path} first.',
    hint: 'Give the command again, which ends what was begun. Do not make them writable: copy those that you want back.',
  },
  ALM_PATH_REFUSED: {
    message: '{path} cannot be part of a directory: {why}.',
    hint: 'Remove or exclude it.',
  },
  ALM_TARGET_EXISTS: { message: '{path} exists already.', hint: 'Choose another path or remove it.' },
  ALM_BLOB_MISSING: {
    message: 'The content {digest} is not in the store.',
    hint: 'Run the call again: almanac resume RUN, or see almanac doctor.',
  },
  ALM_BLOB_DAMAGED: {
    message: 'The content {digest} in the store was damaged: {why}.',
    hint: 'See almanac doctor; the call that made it runs again.',
  },
  ALM_STORE_FULL: {
    message: 'The disk is full: {path}.',
    hint: 'Free some space: of .almanac, logs and code/compiled may be deleted by hand; then almanac rm RUN and almanac gc. Then give the command again, or resume the run.',
  },
  ALM_STORE_READ_ONLY: {
    message: '{path} cannot be written: {why}.',
    hint: 'Give this user the right to write there and resume the run.',
  },
  ALM_STORE_FAILED: {
    message: '{path}: {why}.',
    hint: 'Correct the cause, then give the command again, or resume the run.',
  },
  ALM_STORE_DENIED: {
    message: 'The store does not let us {what} {place}: {why}.',
    hint: 'Check the credentials, and what the policy of the bucket allows them.',
  },
  // sources
  ALM_SOURCE_REFUSED: {
    message: '{url} is not downloaded: {why}.',
    hint: 'Correct the source; docs/sources.md says what is allowed.',
  },
  ALM_SOURCE_MISSING: {
    message: '{url} does not exist there (HTTP {status}).',
    hint: 'Correct the URL, or let the source go on without it: allowMissing: true.',
  },
  ALM_SOURCE_DENIED: {
    message: '{url} may not be read (HTTP {status}).',
    hint: 'Check the credentials that the source is given, and that they have not expired.',
  },
  ALM_SOURCE_FAILED: {
    message: '{url} could not be downloaded: {why}.',
    hint: 'Resume the run: what has come is kept, and the rest is fetched.',
  },
  ALM_SOURCE_CHECKSUM: {
    message: '{url} is not what was promised: its {algorithm} is {found}, not {expected}.',
    hint: 'Correct the checksum, or ask whoever keeps the server.',
  },
  ALM_SOURCE_CODING: {
    message: 'What came cannot be decoded from {encoding}: {why}.',
    hint: 'Ask whoever keeps the server.',
  },
  ALM_SOURCE_INCOMPLETE: {
    message: '{failed} of {all} files could not be had, so there is no new version; the first: {message}',
    hint: 'Correct the source or its server, and resume the run: the files that came are kept.',
  },
  // journal
  ALM_RUN_UNKNOWN: { message: 'There is no run {run}.', hint: 'See almanac runs.' },
  ALM_RUN_ENDED: { message: 'Run {run} has ended: {state}.', hint: 'See almanac show {run}.' },
  ALM_CALL_UNKNOWN: { message: 'Run {run} has no task or call {call}.', hint: 'See almanac show {run}.' },
  ALM_CALL_UNSTAGED: {
    message: 'Call {call} of run {run} cannot be staged: {why}.',
    hint: 'See almanac show {run} {call}.',
  },
  ALM_RUN_EXISTS: { message: 'A run {run} exists already.', hint: 'Choose another id.' },
  ALM_RUN_OWNED: {
    message: 'Run {run} is executed by process {pid} on {host}.',
    hint: 'Wait for it, or cancel it: almanac cancel {run}.',
  },
  ALM_RUN_RESTS: {
    message: 'Run {run} is {state}.',
    hint: 'Answer its questions (almanac answer {run}) or resume it.',
  },
  ALM_RUN_ACTIVE: { message: 'Run {run} has not ended.', hint: 'Cancel it first: almanac cancel {run}.' },
  ALM_ASK_TIMEOUT: { message: 'Nobody answered in time: {title}', hint: 'Resume the run to ask again.' },
  ALM_ASK_CLOSED: { message: 'Run {run} has no open question at call {call}.', hint: 'See almanac status.' },
  ALM_RECEIVE_TIMEOUT: {
    message: 'No message {name} came in time.',
    hint: 'Send one (almanac send RUN {name} VALUE) and resume the run to wait again.',
  },
  ALM_RUN_OVER: {
    message: 'Run {run} has {state}: it takes no more messages.',
    hint: 'Send to a run that has not succeeded: almanac runs.',
  },
  ALM_LISTEN_FAILED: {
    message: 'Nothing can listen on {address}: {why}.',
    hint: 'One process listens for all runs of a project; choose another address by callbacks: { listen } in almanac.config.ts.',
  },
  ALM_CALLBACK_SECRET: {
    message: 'The secret of callbacks in {path} is damaged: {why}.',
    hint: 'Remove it: a new one is made, and URLs that were given away hold no more.',
  },
  ALM_JOURNAL_FULL: {
    message: 'The disk is full: {path}.',
    hint: 'Free some space: of .almanac, logs and code/compiled may be deleted by hand; then almanac rm RUN and almanac gc. Then give the command again, or resume the run.',
  },
  ALM_REHEARSAL_FAILED: {
    message: 'In {path} no copy of the journal can be made, on which a dry run is tried: {why}.',
    hint: 'It takes as much room as the journal: free some there, or name another folder by TMPDIR.',
  },
  ALM_JOURNAL_READ_ONLY: {
    message: '{path} cannot be written: {why}.',
    hint: 'Give this user the right to write there, or name a directory of its own by ALMANAC_HOME.',
  },
  ALM_JOURNAL_DAMAGED: {
    message: '{path} is damaged: {why}.',
    hint: 'Keep a copy; almanac doctor says what can be saved.',
  },
  ALM_JOURNAL_NEWER: {
    message: '{path} was written by a newer Almanac (format {found}, this one knows {known}).',
    hint: 'Update Almanac.',
  },
  ALM_JOURNAL_NETWORK: {
    message: '{path} lies on a network file system ({type}), where SQLite cannot lock.',
    hint: 'Set ALMANAC_HOME to a directory on a local disk.',
  },
  ALM_JOURNAL_FAILED: { message: '{path}: {why}.', hint: 'See almanac doctor.' },
  // python
  ALM_PYTHON_MISSING: {
    message: 'No Python {version} was found.',
    hint: 'Install Python 3.10 or newer, or set python in python.env.',
  },
  ALM_PYTHON_BROKEN: {
    message: '{python} does not work: {why}.',
    hint: 'Try {python} --version, and repair it; or name another interpreter: python in python.env.',
  },
  ALM_PYTHON_ENV: {
    message: 'The Python environment of {file} could not be made: {why}',
    hint: 'Correct the requirements file and run again.',
  },
  ALM_CONTAINER_PROGRAM: {
    message: 'No program that runs containers works here: {why}.',
    hint: 'Install Podman, or start Docker and be allowed to use its socket; "podman info" or "docker info" must answer. Another program is named in ALMANAC_CONTAINER_PROGRAM, or in container.program of almanac.config.ts.',
  },
  ALM_IMAGE_MISSING: {
    message: 'There is no image {image} for {program}: {why}.',
    hint: 'Correct its name (with its registry, as in docker.io/library/debian:12), build it, or log in where it is private: {program} login.',
  },
  ALM_IMAGE_PULL: {
    message: 'The image {image} could not be pulled: {why}.',
    hint: 'Look at the network and resume the run. An image that is here already is not asked for unless the task says pull: "always".',
  },
  ALM_CONTAINER_FAILED: {
    message: 'No container of {image} could be started: {why}.',
    hint: 'Correct the options of the task, or what the message names; docs/containers.md has the usual causes.',
  },
  ALM_CONTAINER_LEFT: {
    message: 'A container could not be removed: {why}.',
    hint: 'Remove it by hand: {program} rm -f {names}.',
  },
  // use
  ALM_NODE_OLD: {
    message: 'Almanac needs Node 24 or newer; this is Node {version}.',
    hint: 'Install Node 24 beside it: npm install --save-dev node@24, and run it by npx almanac.',
  },
  ALM_SYSTEM: {
    message: 'The system refused: {why}.',
    hint: 'Correct the cause, then give the command again.',
  },
  ALM_USAGE: { message: '{why}', hint: 'See almanac help.' },
  ALM_CONFIG: { message: '{file} is not valid: {why}', hint: 'See docs/command-line.md.' },
  ALM_INPUT_INVALID: { message: 'Input {name}: {why}', hint: 'Correct it and run again.' },
  ALM_TOOL_MISSING: { message: '{what} is not installed.', hint: '{how}' },
  ALM_BUG: {
    message: 'Almanac itself failed: {why}',
    hint: 'Please report this, with the output of almanac doctor.',
  },
} as const satisfies Record<string, { message: string; hint: string }>

/** The code of an error of the catalogue. */
export type ErrorCode = keyof typeof catalogue

/** An error of the catalogue. Recognise it by `code`: it may come from another copy or thread. */
export class AlmanacError extends Error {
  override readonly name = 'AlmanacError'
  readonly code: ErrorCode
  readonly hint: string
  readonly details: Readonly<Record<string, unknown>>
  /** set where the failure of a call is what is reported */
  readonly record: ErrorRecord | undefined

  constructor(
    code: ErrorCode,
    details: Readonly<Record<string, unknown>> = {},
    options: { cause?: unknown; record?: ErrorRecord } = {},
  ) {
    super(
      fill(catalogue[code].message, details),
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.code = code
    this.hint = fill(catalogue[code].hint, details)
    this.details = details
    this.record = options.record
  }
}

/** A kept error as one that can be thrown: its message is the one that was kept. */
export function errorOf(record: ErrorRecord): AlmanacError {
  const code = record.code in catalogue ? (record.code as ErrorCode) : 'ALM_BUG'
  const error = new AlmanacError(code, {}, { record })
  error.message = record.message
  if (record.stack !== undefined) error.stack = record.stack
  return error
}

export const isAlmanacError = (error: unknown): error is AlmanacError =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code in catalogue

const fill = (template: string, details: Readonly<Record<string, unknown>>): string =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => String(details[name] ?? ''))

/** An error as it is kept. */
export function errorRecord(
  code: ErrorCode,
  details: Readonly<Record<string, unknown>> = {},
  more: Partial<ErrorRecord> = {},
): ErrorRecord {
  return {
    code,
    message: fill(catalogue[code].message, details),
    hint: fill(catalogue[code].hint, details),
    ...more,
  }
}
