/** Writes rows until it is killed, and tells each that was acknowledged: `node writer-process.ts <store URL>`. */
import { invariant } from '@superfluidity/core';
import { openStore, toJson } from '../index.ts';

const url = process.argv[2];
invariant(url !== undefined, 'usage: writer-process.ts <store URL>');
const store = await openStore(url);
for (let n = 1; ; n += 1) {
  await store.transaction(async (trx) => {
    await trx
      .insertInto('event')
      .values({ at: n, kind: 'first', subject: 's', body: toJson(n) })
      .execute();
    await trx
      .insertInto('event')
      .values({ at: n, kind: 'second', subject: 's', body: toJson(n) })
      .execute();
  });
  process.stdout.write(`${n}\n`);
}
