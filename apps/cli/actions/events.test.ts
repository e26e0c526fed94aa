import { expect, test } from 'vitest';
import { recorded } from '../testing/recorded.ts';
import { events } from './events.ts';

test('what is asked of events is asked of those that are followed too', async () => {
  const { context, shown } = recorded();
  const asked: unknown[] = [];
  const event = { id: 7, at: 0, kind: 'audit', subject: 'me', severity: 'error', message: 'no', body: {} };
  const client = {
    call: (name: string, given: unknown) => Promise.resolve(asked.push(name, given)),
    async *follow(name: string, { query }: { query: unknown }) {
      asked.push(name, query);
      yield event;
    },
  };
  const filters = { service: 'me', kind: 'audit,site', severity: 'error', by: 'ann', search: 'x' };
  await events(
    { ...context, client: () => Promise.resolve(client as never) },
    { follow: true, limit: 500, after: 6, ...filters },
  );
  expect(asked).toEqual(['getSystem', undefined, 'followEvents', { ...filters, after: 6 }]);
  expect(shown).toEqual([event]);
});
