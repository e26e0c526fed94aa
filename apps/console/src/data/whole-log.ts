import type { Client } from '@superfluidity/api';

/** What a browser is given to keep at a time. */
const BYTES_MAX = 256 << 20;

/**
 * All that the site still has of a log, from its beginning on, as a file: not only the lines that the page keeps. Read
 * page by page, and handed to the browser as it comes.
 */
export async function wholeLog(client: Client, service: string, unit: string): Promise<Blob> {
  const parts: string[] = [];
  let bytes = 0;
  for (let offset = 0; bytes < BYTES_MAX; ) {
    const { lines, next } = await client.call('readUnitOutput', {
      params: { name: service, unit },
      query: { offset },
    });
    if (next === offset) break;
    offset = next;
    if (lines.length === 0) continue;
    const part = `${lines.join('\n')}\n`;
    bytes += part.length;
    parts.push(part);
  }
  return new Blob(parts, { type: 'text/plain' });
}
