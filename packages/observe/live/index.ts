export {
  type AnomalyOptions,
  AnomalyWatch,
  anomalyDefaults,
  checkAnomalyOptions,
} from './anomaly-watch.ts';
export { anomalyHandlers, watchedEvents, watchedTelemetry } from './feed.ts';
