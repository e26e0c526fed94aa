import { createClient } from '@superfluidity/api';
import { askEarly } from './data/early-answers.ts';
import { askFor } from './data/questions.ts';
import { queries } from './data/queries.ts';
import { readToken } from './data/kept-token.ts';

/**
 * Runs before everything else, while the code of the console is on its way: asks the control plane for what the page at
 * this address will show. A script of its own, for the Content-Security-Policy allows none within the page.
 */

// zod finds out by trying whether it may compile code. The policy forbids that, rightly, and the browser would report the
// attempt as an error. Said here, before any module is there.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });

const token = readToken(location.hash);
if (token !== undefined) {
  const client = createClient({ server: location.origin, token, fetch: askEarly(token) });
  void askFor(location, queries(client), (question) => (question.queryFn as () => never)());
}
