/** The `ue` function: streams until SIGTERM and writes one JSON line for each request. */
import { numberFrom } from './facts.js';
import { stream } from './stream-client.js';

const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
await stream({
  url: process.env['UE_URL'] ?? 'http://10.99.0.10:8080',
  paceMs: numberFrom('UE_PACE_MS', 20),
  timeoutMs: numberFrom('UE_TIMEOUT_MS', 5000),
  warmupMs: numberFrom('UE_WARMUP_MS', 60_000),
  signal: stop.signal,
  onRecord: (record) => process.stdout.write(`${JSON.stringify(record)}\n`),
});
