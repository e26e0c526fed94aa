export {
  createEventLog,
  type ClosableEventLog,
  type EventLogLimits,
  type EventLogOptions,
  eventLogLimits,
} from './event-log.ts';
export * from './errors.ts';
export * from './routes.ts';
export * from './telemetry.ts';
export type * from './types.ts';
