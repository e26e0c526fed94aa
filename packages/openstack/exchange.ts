import { type Dispatcher, request } from 'undici';
import { LIMITS } from './limits.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface HttpRequest {
  readonly method: Method;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** One request and its answer, bounded in time and size. */
export async function exchange(
  dispatcher: Dispatcher,
  { method, url, headers, body }: HttpRequest,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const answer = await request(url, {
    dispatcher,
    method,
    headers,
    ...(body === undefined ? {} : { body: body as Uint8Array }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(LIMITS.requestMs)]),
  });
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer.body as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > LIMITS.answerBytes) throw new RangeError(`the answer has more than ${LIMITS.answerBytes} bytes`);
    pieces.push(piece);
  }
  return { status: answer.statusCode, headers: flat(answer.headers), text: Buffer.concat(pieces).toString('utf8') };
}

function flat(headers: Dispatcher.ResponseData['headers']): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
