/**
 * The `video` function: serves ../media until it is asked to finish by SIGTERM, and asks the archive where it is told of one.
 *
 * These programs are JavaScript with their types in comments: to strip types takes Node as long again as to begin, some
 * 80 ms of processor time, and that is part of the time to the first video byte.
 */
import { fileURLToPath } from 'node:url';
import { askArchive } from './archive-client.js';
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
const stop = new AbortController();
const archive = process.env['VIDEO_ARCHIVE_URL'];
if (archive !== undefined) {
  void askArchive({
    url: archive,
    everyMs: numberFrom('VIDEO_ARCHIVE_EVERY_MS', 1000),
    timeoutMs: numberFrom('VIDEO_ARCHIVE_TIMEOUT_MS', 2000),
    signal: stop.signal,
    onRecord: (record) => process.stdout.write(`${JSON.stringify(record)}\n`),
  });
}
process.once('SIGTERM', () => {
  stop.abort();
  void server.drain().then(() => process.exit(0));
});
