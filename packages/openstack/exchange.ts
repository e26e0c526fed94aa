import { Readable } from 'node:stream';
import { SuperfluidityError } from '@superfluidity/core';
import { Agent, type Dispatcher, request } from 'undici';
import type { Upload } from './call.ts';
import type { CloudConfig } from './credentials.ts';
import type { Limits } from './limits.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface HttpRequest {
  readonly method: Method;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly upload?: Upload;
  /** Over a connection of its own: one that was used before may be closed by the service in the same moment. */
  readonly fresh: boolean;
  readonly requestMs?: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Connections to the services of a cloud. */
export class Connections {
  readonly #kept: Agent;
  readonly #fresh: Agent;
  readonly #limits: Limits;

  constructor({ caCert, verify }: Pick<CloudConfig, 'caCert' | 'verify'>, limits: Limits) {
    this.#limits = limits;
    const connect = {
      timeout: limits.connectMs,
      ...(caCert === undefined ? {} : { ca: caCert }),
      ...(verify === false ? { rejectUnauthorized: false } : {}),
    };
    // Times are bounded here, for an exchange as a whole.
    const options = { connect, headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: limits.idleConnectionMs };
    this.#kept = new Agent(options);
    this.#fresh = new Agent({ ...options, pipelining: 0 });
  }

  /** One request and its answer, bounded in time and size. Redirects are answers: a token goes nowhere else. */
  async exchange(sent: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    const { method, url, headers, upload } = sent;
    const requestMs = sent.requestMs ?? this.#limits.requestMs;
    const ending = new AbortController();
    const late = setTimeout(() => ending.abort(new Error(`no answer within ${requestMs / 1_000} s`)), requestMs);
    const abort = () => ending.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      const answer = await request(url, {
        dispatcher: sent.fresh ? this.#fresh : this.#kept,
        method,
        headers: upload?.bytes === undefined ? headers : { ...headers, 'content-length': String(upload.bytes) },
        ...(sent.body === undefined ? {} : { body: sent.body }),
        // As long as bytes are taken, it is not late.
        ...(upload === undefined
          ? {}
          : {
              body: Readable.from(
                told(upload.open(), () => late.refresh()),
                { objectMode: false },
              ),
            }),
        signal: ending.signal,
      });
      return { status: answer.statusCode, headers: flat(answer.headers), text: await this.#read(answer.body, sent) };
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', abort);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#kept.destroy(), this.#fresh.destroy()]);
  }

  async #read(body: AsyncIterable<Buffer>, { method, url }: HttpRequest): Promise<string> {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > this.#limits.answerBytes) {
        throw new SuperfluidityError('SF-OPENSTACK-ANSWER', {
          reason: `the answer has more than ${this.#limits.answerBytes} bytes`,
          request: `${method} ${url}`,
        });
      }
      pieces.push(piece);
    }
    return Buffer.concat(pieces).toString('utf8');
  }
}

async function* told(source: AsyncIterable<Uint8Array>, onPiece: () => void): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    onPiece();
    yield piece;
  }
}

function flat(headers: Dispatcher.ResponseData['headers']): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
