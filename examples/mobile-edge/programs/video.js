/**
 * The `video` function: serves ../media until it is asked to finish by SIGTERM.
 *
 * These programs are JavaScript with their types in comments: to strip types takes Node as long again as to begin, some
 * 80 ms of processor time, and that is part of the time to the first video byte.
 */
import { fileURLToPath } from 'node:url';
import { numberFrom, readFacts } from './facts.js';
import { startVideoServer } from './video-server.js';

const { site = 'local', unit = 'video' } = readFacts();
const server = await startVideoServer({
  mediaFolder: process.env['VIDEO_MEDIA'] ?? fileURLToPath(new URL('../media', import.meta.url)),
  port: numberFrom('VIDEO_PORT', 8080),
  servedBy: `${site}/${unit}`,
  graceMs: numberFrom('VIDEO_GRACE_MS', 1000),
  drainMaxMs: numberFrom('VIDEO_DRAIN_MAX_MS', 8000),
});
process.once('SIGTERM', () => {
  void server.drain().then(() => process.exit(0));
});
