import type { Handlers } from '@superfluidity/api';
import type { ClosableEventLog } from '../event-log.ts';
import type { Telemetry } from '../types.ts';
import type { AnomalyWatch } from './anomaly-watch.ts';

/** The same telemetry, which the watch sees as it comes. */
export const watchedTelemetry = (telemetry: Telemetry, watch: () => AnomalyWatch | undefined): Telemetry => ({
  ...telemetry,
  record(service, samples) {
    telemetry.record(service, samples);
    watch()?.record(service, samples);
  },
});

/** The same log, which the watch hears. */
export const watchedEvents = (log: ClosableEventLog, watch: () => AnomalyWatch | undefined): ClosableEventLog => ({
  ...log,
  append(event) {
    log.append(event);
    watch()?.heard(event);
  },
});

/** Without a watch nothing is unusual. */
export const anomalyHandlers = (watch: AnomalyWatch | undefined): Handlers<'getAnomalies'> => ({
  getAnomalies: async ({ params: { name }, query: { since, limit } }) =>
    watch?.show(name, since, limit) ?? { service: name, rate: 0, window: 0, inARow: 0, signals: [] },
});
