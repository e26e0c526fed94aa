/**
 * User equipment: plays an HLS stream over and over, and keeps a record of every request. Nothing is retried in
 * silence: a request that fails is one line of the record that says so, and the next request is the next of the stream.
 */
import { Agent, get } from 'node:http';
import { performance } from 'node:perf_hooks';

/**
 * @typedef {object} RequestRecord
 * @property {number} t Milliseconds since the epoch at which the request began.
 * @property {number} latencyMs To the first byte of the answer; includes the opening of the connection where the request
 *   needed a new one.
 * @property {number} totalMs To the last byte.
 * @property {number} bytes
 * @property {boolean} ok
 * @property {number} [status]
 * @property {string} [error]
 * @property {string} [from] Site of the server that answered.
 * @property {number} connection From 1: which connection carried it.
 * @property {true} [warmup] Before the first answer: the server may not have been started yet.
 *
 * @typedef {object} StreamOptions
 * @property {string} url `http://10.99.0.10:8080`
 * @property {number} paceMs Time from the start of a request to the start of the next one, if that was not slower.
 * @property {number} timeoutMs
 * @property {number} warmupMs How long failures count as warm-up while there was no answer yet.
 * @property {AbortSignal} signal
 * @property {(record: RequestRecord) => void} onRecord
 *
 * @typedef {object} Exchange
 * @property {RequestRecord} record
 * @property {string} body
 */

const PLAYLIST = '/live/index.m3u8';
const PLAYLIST_BYTES_MAX = 64 * 1024;
const SEGMENTS_MAX = 1000;
/** After a failure, so that a server that refuses is not asked thousands of times a second. */
const PAUSE_AFTER_FAILURE_MS = 100;
/**
 * While there was no answer yet: what was sent before the chain was there is lost, and the kernel sends it again after a
 * second only (RFC 6298, 2.1). Asking anew finds the chain sooner: after a tenth of the time that was waited so far, so
 * that on a slow machine or a long way the patience grows until it is enough.
 */
const WARMUP_TIMEOUT_MIN_MS = 80;
const WARMUP_TIMEOUT_PART = 0.1;
const WARMUP_PAUSE_MS = 20;

/**
 * URIs of the segments: the lines that are neither empty nor tags nor comments (RFC 8216 section 4.1).
 *
 * @param {string} playlist
 */
export function segmentsOf(playlist) {
  if (!playlist.startsWith('#EXTM3U')) return [];
  const lines = playlist.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  return lines.slice(0, SEGMENTS_MAX);
}

/** @param {StreamOptions} options */
export async function stream(options) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const startedMs = performance.now();
  let answered = false;
  let connections = 0;

  /**
   * @param {URL} url
   * @returns {Promise<Exchange>}
   */
  const exchange = (url) =>
    new Promise((resolve) => {
      const t = Date.now();
      const sentMs = performance.now();
      /** @type {number | undefined} */
      let firstByteMs;
      let bytes = 0;
      let body = '';
      /** @type {(response?: import('node:http').IncomingMessage, failure?: Error) => void} */
      const finish = (response, failure) => {
        const totalMs = performance.now() - sentMs;
        const servedBy = response?.headers['x-served-by'];
        const ok = failure === undefined && response?.statusCode === 200;
        const error = failure === undefined ? undefined : deadline.aborted ? 'timeout' : describe(failure);
        resolve({
          body,
          record: {
            t,
            latencyMs: round((firstByteMs ?? performance.now()) - sentMs),
            totalMs: round(totalMs),
            bytes,
            ok,
            ...(response?.statusCode === undefined ? {} : { status: response.statusCode }),
            ...(error === undefined ? {} : { error }),
            ...(typeof servedBy === 'string' ? { from: servedBy.split('/', 1)[0] ?? servedBy } : {}),
            connection: connections,
          },
        });
      };
      const waitedMs = performance.now() - startedMs;
      const warmup = !answered && waitedMs < options.warmupMs;
      const patienceMs = warmup
        ? Math.max(WARMUP_TIMEOUT_MIN_MS, Math.round(waitedMs * WARMUP_TIMEOUT_PART))
        : Infinity;
      const deadline = AbortSignal.timeout(Math.min(patienceMs, options.timeoutMs));
      const request = get(url, { agent, signal: deadline }, (response) => {
        firstByteMs = performance.now();
        response.on('data', (chunk) => {
          bytes += chunk.length;
          if (body.length < PLAYLIST_BYTES_MAX && url.pathname === PLAYLIST) body += chunk.toString('latin1');
        });
        response.once('end', () => finish(response));
        response.once('error', (error) => finish(response, error));
      });
      request.on('socket', () => {
        if (!request.reusedSocket) connections += 1;
      });
      request.once('error', (error) => finish(undefined, error));
    });

  /**
   * One request of the stream with its record, then the rest of its time.
   *
   * @param {URL} url
   */
  const play = async (url) => {
    const beganMs = performance.now();
    const result = await exchange(url);
    answered ||= result.record.ok;
    const warmup = !answered && performance.now() - startedMs < options.warmupMs;
    options.onRecord(warmup ? { ...result.record, warmup: true } : result.record);
    const restMs = options.paceMs - (performance.now() - beganMs);
    const afterFailureMs = warmup ? WARMUP_PAUSE_MS : PAUSE_AFTER_FAILURE_MS;
    await pause(Math.max(restMs, result.record.ok ? 0 : afterFailureMs), options.signal);
    return result;
  };

  try {
    while (!options.signal.aborted) {
      const playlistUrl = new URL(PLAYLIST, options.url);
      const playlist = await play(playlistUrl);
      for (const segment of playlist.record.ok ? segmentsOf(playlist.body) : []) {
        if (options.signal.aborted) break;
        await play(new URL(segment, playlistUrl));
      }
    }
  } finally {
    agent.destroy();
  }
}

/** @param {Error} error */
function describe(error) {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

/** @param {number} ms */
function round(ms) {
  return Math.round(ms * 1000) / 1000;
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(ms, signal) {
  return new Promise((resolve) => {
    if (signal.aborted || ms <= 0) {
      resolve();
      return;
    }
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
