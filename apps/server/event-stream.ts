import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@superfluidity/core';
import { problemOf } from './problem.ts';

export interface StreamLimits {
  readonly keepAliveMs: number;
  readonly stalledStreamMs: number;
}

/**
 * Server-sent events (WHATWG HTML, section 9.2). The next value is taken only when the socket has room for it, so that
 * a slow reader costs one value of memory here; the sources bound what waits for it.
 */
export async function sendEventStream(
  source: AsyncIterable<{ readonly id?: number; readonly value: unknown }>,
  response: ServerResponse,
  { limits, signal, log }: { readonly limits: StreamLimits; readonly signal: AbortSignal; readonly log: Logger },
): Promise<void> {
  const write = async (text: string): Promise<boolean> => {
    if (response.write(text)) return true;
    const over = AbortSignal.any([signal, AbortSignal.timeout(limits.stalledStreamMs)]);
    const drained = await once(response, 'drain', { signal: over }).then(
      () => true,
      () => false,
    );
    if (!drained) response.destroy();
    return drained;
  };
  const keepAlive = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': keep-alive\n\n');
  }, limits.keepAliveMs);
  try {
    response.write('retry: 500\n\n');
    for await (const { id, value } of source) {
      const message = `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(value)}\n\n`;
      if (signal.aborted || !(await write(message))) break;
    }
  } catch (error) {
    // The status line is long gone: the reader learns of it from an event of its own type, which plain readers skip.
    if (!signal.aborted) {
      log.warn({ err: error }, 'a stream ended early');
      await write(`event: problem\n: ${problemOf(error).error.code}\n\n`);
    }
  } finally {
    clearInterval(keepAlive);
    response.end();
    await Promise.race([once(response, 'close').catch(() => {}), delay(0)]);
  }
}
