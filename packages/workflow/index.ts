export { type DurableEngine, type DurableEngineOptions, dbosRuns, durableEngine } from './durable-engine.ts';
export * from './engine.ts';
export { workflowErrors } from './errors.ts';
export { Leases, type LeaseListener, type LeaseOptions } from './leases.ts';
export { limits as workflowLimits } from './limits.ts';
export { type FaultPoint, type MemoryEngine, type MemoryEngineOptions, memoryEngine } from './memory-engine.ts';
export { MemoryJournal } from './memory-journal.ts';
export { type RecordedError, recordError, reviveError } from './recorded-error.ts';
export {
  runSaga,
  type SagaFailure,
  type SagaOptions,
  type SagaResult,
  type UndoOptions,
  undoSaga,
} from './run-saga.ts';
export * from './saga.ts';
export { wavesOf } from './saga-graph.ts';
