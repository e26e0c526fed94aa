import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';

export interface CompressionLimits {
  /** Below this an answer is one or two packets anyhow. */
  readonly leastBytes: number;
  /** Answers that are compressed at a time; those beyond are sent as they are. */
  readonly atOnce: number;
}

type Encoding = 'br' | 'gzip';

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);
/** 3 of 11: JSON becomes a tenth at some 200 MB/s; the files of the console, compressed once, take more time. */
const QUALITY = 3;

/** Sends JSON in the best encoding that the caller takes (RFC 9110, section 12.5.3). Streams and files are left alone. */
export function compressAnswers(app: FastifyInstance, limits: CompressionLimits): void {
  let working = 0;
  app.addHook('onSend', async (request, reply, payload) => {
    if (typeof payload !== 'string' || payload.length < limits.leastBytes) return payload;
    if (!/[/+]json\b/.test(String(reply.getHeader('content-type')))) return payload;
    reply.header('vary', 'accept-encoding');
    const encoding = encodingFor(request.headers['accept-encoding']);
    if (encoding === undefined || working >= limits.atOnce) return payload;
    working += 1;
    try {
      const packed = await compressed(payload, encoding);
      reply.header('content-encoding', encoding).removeHeader('content-length');
      return packed;
    } finally {
      working -= 1;
    }
  });
}

function compressed(text: string, encoding: Encoding): Promise<Buffer> {
  if (encoding === 'gzip') return zip(text, { level: 1 });
  return brotli(text, {
    params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: text.length },
  });
}

/** Brotli before gzip; `q=0` refuses. What is between the two ends of the scale is not weighed. */
export function encodingFor(accepted: string | string[] | undefined): Encoding | undefined {
  const refused = /;\s*q=0(?:\.0*)?$/;
  const taken = new Set(
    String(accepted ?? '')
      .split(',')
      .map((one) => one.trim().toLowerCase())
      .filter((one) => !refused.test(one))
      .map((one) => one.split(';')[0]!.trim()),
  );
  return (['br', 'gzip'] as const).find((encoding) => taken.has(encoding));
}
