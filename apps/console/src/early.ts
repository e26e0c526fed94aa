import { createClient } from '@superfluidity/api';
import { readCredential } from './data/credential.ts';
import { askEarly } from './data/early-answers.ts';
import { askFor } from './data/questions.ts';
import { queries } from './data/queries.ts';

/**
 * Runs before everything else, while the code of the console is on its way: asks the control plane for what the page at
 * this address will show. A script of its own, for the Content-Security-Policy allows none within the page.
 */

// zod finds out by trying whether it may compile code. The policy forbids that, rightly, and the browser would report the
// attempt as an error. Said here, before any module is there.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });

const credential = readCredential(location.hash);
if (credential !== undefined) {
  const client = createClient({
    server: location.origin,
    ...(credential.kind === 'token' ? { token: credential.token } : {}),
    fetch: askEarly(credential),
  });
  void askFor(location, queries(client), (question) => (question.queryFn as () => never)());
}
