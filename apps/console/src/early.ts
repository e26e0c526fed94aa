import { createClient } from '@superfluidity/api';
import { readCredential } from './data/credential.ts';
import { askEarly } from './data/early-answers.ts';
import { askFor } from './data/questions.ts';
import { queries } from './data/queries.ts';

/**
 * Runs before everything else, while the code of the console is on its way: sends for the code of the page at this address,
 * and asks the control plane for what it will show. A script of its own, for the Content-Security-Policy allows none within the page.
 */

// zod finds out by trying whether it may compile code. The policy forbids that, rightly, and the browser would report the
// attempt as an error. Said here, before any module is there.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });

const [, first = '', second = ''] = location.pathname.split('/');
const page = second === '' ? first : `${first}/`;
// Written by the build: the files of each page. In development there are none.
const pages = JSON.parse(document.currentScript?.dataset['pages'] ?? '{}') as Readonly<
  Record<string, readonly string[]>
>;
for (const file of pages[page] ?? []) {
  const style = file.endsWith('.css');
  const link = document.createElement('link');
  Object.assign(link, { rel: style ? 'preload' : 'modulepreload', crossOrigin: '', href: `/${file}` });
  if (style) link.as = 'style';
  document.head.append(link);
}

const credential = readCredential(location.hash);
if (credential !== undefined) {
  const client = createClient({
    server: location.origin,
    ...(credential.kind === 'token' ? { token: credential.token } : {}),
    fetch: askEarly(credential),
  });
  void askFor(location, queries(client), (question) => (question.queryFn as () => never)());
}
