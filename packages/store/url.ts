import { resolve } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';

export type StoreLocation =
  | { readonly kind: 'memory' }
  | { readonly kind: 'pglite'; readonly folder: string }
  | { readonly kind: 'embedded'; readonly folder: string }
  | { readonly kind: 'server'; readonly url: string };

/** `pglite:memory`, `pglite:<folder>`, `embedded:<folder>`, `postgres://...`. */
export function parseStoreUrl(url: string): StoreLocation {
  if (/^postgres(ql)?:\/\//.test(url)) {
    if (!URL.canParse(url)) throw badUrl(url, 'it is not a URL');
    return { kind: 'server', url };
  }
  const [scheme, rest] = [url.slice(0, url.indexOf(':')), url.slice(url.indexOf(':') + 1)];
  if (scheme !== 'pglite' && scheme !== 'embedded') throw badUrl(url, `the scheme '${scheme}' is unknown`);
  if (rest === '' || rest.includes('\0')) throw badUrl(url, 'the folder is missing');
  if (scheme === 'pglite' && rest === 'memory') return { kind: 'memory' };
  return { kind: scheme, folder: resolve(rest) };
}

function badUrl(url: string, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-STORE-URL', { doing: `open the database ${withoutPassword(url)}`, reason });
}

/** For logs and messages. */
export function withoutPassword(url: string): string {
  return url.replace(/^([a-z]+:\/\/[^:@/]*):[^@]*@/, '$1:***@').replace(/([?&]password=)[^&]*/, '$1***');
}
