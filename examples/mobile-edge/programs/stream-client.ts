/**
 * User equipment: plays an HLS stream over and over, and keeps a record of every request. Nothing is retried in
 * silence: a request that fails is one line of the record that says so, and the next request is the next of the stream.
 */
import { Agent, get, type IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';

export interface RequestRecord {
  /** Milliseconds since the epoch at which the request began. */
  readonly t: number;
  /** To the first byte of the answer; includes the opening of the connection where the request needed a new one. */
  readonly latencyMs: number;
  /** To the last byte. */
  readonly totalMs: number;
  readonly bytes: number;
  readonly ok: boolean;
  readonly status?: number;
  readonly error?: string;
  /** Site of the server that answered. */
  readonly from?: string;
  /** From 1: which connection carried it. */
  readonly connection: number;
  /** Before the first answer: the server may not have been started yet. */
  readonly warmup?: true;
}

export interface StreamOptions {
  /** `http://10.99.0.10:8080` */
  readonly url: string;
  /** Time from the start of a request to the start of the next one, if that was not slower. */
  readonly paceMs: number;
  readonly timeoutMs: number;
  /** How long failures count as warm-up while there was no answer yet. */
  readonly warmupMs: number;
  readonly signal: AbortSignal;
  readonly onRecord: (record: RequestRecord) => void;
}

const PLAYLIST = '/live/index.m3u8';
const PLAYLIST_BYTES_MAX = 64 * 1024;
const SEGMENTS_MAX = 1000;
/** After a failure, so that a server that refuses is not asked thousands of times a second. */
const PAUSE_AFTER_FAILURE_MS = 100;
/**
 * While there was no answer yet: what was sent before the chain was there is lost, and the kernel sends it again after a
 * second only (RFC 6298, 2.1). Asking anew finds the chain sooner.
 */
const WARMUP_TIMEOUT_MS = 250;
const WARMUP_PAUSE_MS = 20;

interface Exchange {
  readonly record: Omit<RequestRecord, 'warmup'>;
  readonly body: string;
}

/** URIs of the segments: the lines that are neither empty nor tags nor comments (RFC 8216 section 4.1). */
export function segmentsOf(playlist: string): readonly string[] {
  if (!playlist.startsWith('#EXTM3U')) return [];
  const lines = playlist.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  return lines.slice(0, SEGMENTS_MAX);
}

export async function stream(options: StreamOptions): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const startedMs = performance.now();
  let answered = false;
  let connections = 0;

  const exchange = (url: URL): Promise<Exchange> =>
    new Promise((resolve) => {
      const t = Date.now();
      const sentMs = performance.now();
      let firstByteMs: number | undefined;
      let bytes = 0;
      let body = '';
      const finish = (response?: IncomingMessage, failure?: Error) => {
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
            ...(typeof servedBy === 'string' ? { from: servedBy.split('/', 1)[0]! } : {}),
            connection: connections,
          },
        });
      };
      const warmup = !answered && performance.now() - startedMs < options.warmupMs;
      const deadline = AbortSignal.timeout(warmup ? Math.min(WARMUP_TIMEOUT_MS, options.timeoutMs) : options.timeoutMs);
      const request = get(url, { agent, signal: deadline }, (response) => {
        firstByteMs = performance.now();
        response.on('data', (chunk: Buffer) => {
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

  /** One request of the stream with its record, then the rest of its time. */
  const play = async (url: URL): Promise<Exchange> => {
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

function describe(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || ms <= 0) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
