/** `almanac`: what the author of a pipeline uses. */

export { z } from 'zod'
export type {
  Almanac,
  OpenOptions,
  ResumeOptions,
  RunMessageQuery,
  RunOptions,
  SendOptions,
} from './almanac.ts'
export type { RunHandle } from './engine/engine.ts'
export type { RunMessage } from './engine/messages/run-messages.ts'
export type { PlannedCall, RunResult, UnknownWork } from './engine/settings.ts'
export type { Arg, DirMap, MapOptions, MapResult } from './flow/callable.ts'
export { type CommandTaskOptions, command, type ScriptTaskOptions, script } from './flow/command.ts'
export {
  type AlmanacConfig,
  type ContainerConfig,
  defineConfig,
  type RetentionConfig,
  type StoreConfig,
} from './flow/config.ts'
export {
  type ContainerTaskOptions,
  type ContainerVolumeOptions,
  container,
} from './flow/container.ts'
export { type Dataset, dataset, type Published, type PublishOptions } from './flow/dataset.ts'
export type {
  AnyDocument,
  Document,
  DocumentOptions,
  DocumentState,
  Patch,
  WriteOptions,
} from './flow/document.ts'
export type { DirFilter, DirFuture, DirOf, Future, ListFuture } from './flow/future.ts'
export type { Limit, LimitOptions, Rate, TaskLimits } from './flow/limits.ts'
export { all, type FutureList, type Known, map, type Settled, settled } from './flow/list.ts'
export type { NamedTask, NamedTaskOptions } from './flow/named-task.ts'
export type { Duration, Retries, Size, TaskOptions } from './flow/options.ts'
export { type PythonEnv, type PythonTaskOptions, python } from './flow/python.ts'
export type { PythonWorkflowOptions } from './flow/python-workflow.ts'
export {
  type AskOptions,
  type CallbackOptions,
  type ReceiveOptions,
  type RunSendOptions,
  run,
} from './flow/run.ts'
export { dir, file, json, type Schema, type Shape } from './flow/schema.ts'
export { type HttpSource, type S3Source, type SourceFile, type SourceOptions, source } from './flow/source.ts'
export { type FunctionTask, type FunctionTaskOptions, task } from './flow/task.ts'
export type { TriggeredRun, TriggerOptions } from './flow/trigger.ts'
export { type HttpUrlOptions, type S3Url, url } from './flow/url.ts'
export { Dir, File, Url } from './flow/values.ts'
export { type Workflow, type WorkflowOptions, workflow } from './flow/workflow.ts'
export { AlmanacError, type ErrorCode } from './model/errors.ts'
export type { ErrorRecord, SentMessage } from './model/records.ts'
export type { DirRef, FileRef, UrlObject, UrlRef } from './model/refs.ts'
export type { CallState, RunState } from './model/states.ts'
export type { OnFailure, PythonEnvSpec, ScriptLanguage } from './model/task.ts'
export type { ArrayType, Artifact, TaskContext } from './model/task-context.ts'
export { TerminalError } from './model/terminal-error.ts'
export type { Value } from './model/value.ts'
export { open } from './open.ts'
