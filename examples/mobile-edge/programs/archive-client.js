/**
 * Asks an archive again and again, and tells what came of each request. It may be at another site, and not there yet.
 */
import { get } from 'node:http';
import { performance } from 'node:perf_hooks';

/**
 * @typedef {object} ArchiveRecord
 * @property {number} t Milliseconds since the epoch at which the request began.
 * @property {string} archive
 * @property {boolean} ok
 * @property {number} latencyMs
 * @property {number} [status]
 * @property {string} [error]
 *
 * @typedef {object} ArchiveOptions
 * @property {string} url
 * @property {number} everyMs
 * @property {number} timeoutMs
 * @property {AbortSignal} signal
 * @property {(record: ArchiveRecord) => void} onRecord
 */

/** @param {ArchiveOptions} options */
export async function askArchive({ url, everyMs, timeoutMs, signal, onRecord }) {
  while (!signal.aborted) {
    onRecord(await ask(url, timeoutMs));
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, everyMs);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve(undefined);
      });
    });
  }
}

/**
 * @param {string} url
 * @param {number} timeoutMs
 * @returns {Promise<ArchiveRecord>}
 */
function ask(url, timeoutMs) {
  const [t, startedMs] = [Date.now(), performance.now()];
  /** @param {Pick<ArchiveRecord, 'ok' | 'status' | 'error'>} fields */
  const record = (fields) => ({ t, archive: url, latencyMs: Math.round(performance.now() - startedMs), ...fields });
  return new Promise((resolve) => {
    const request = get(url, { timeout: timeoutMs }, (response) => {
      response.resume();
      response.once('end', () => {
        const status = response.statusCode ?? 0;
        resolve(record({ ok: status === 200, status }));
      });
    });
    request.once('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.once('error', (error) => resolve(record({ ok: false, error: error.message })));
  });
}
