import { expect, it } from 'vitest';
import { countCalls } from './calls.ts';

const [ours, theirs] = ['2d285163aa14483382f7e172deb5531d', '86ee05154fbe476f8c1d6073422fb6d9'];
const line = (module: string, user: string, project: string, said: string) =>
  `2026-11-30 22:57:09.849 14684 INFO ${module} [None req-affbe108-3170-4ed3-ac27-852991cc7ddd ${user} ${project} - - - -] ${said}`;
const answered = '127.0.0.1 "DELETE /v2.0/ports/4329 HTTP/1.1" status: 204  len: 173 time: 1.0958622';

it('counts what a project asked, once for each answer', () => {
  const log = [
    line('neutron.wsgi', 'user', ours, answered),
    line('neutron.wsgi', 'user', ours, answered.replace('DELETE', 'GET')),
    line('neutron.wsgi', 'user', theirs, answered),
    line('neutron.pecan_wsgi.hooks.translation', 'user', ours, 'GET failed (client error): not found'),
    'cut off',
  ].join('\n');
  expect(countCalls(log, ours)).toBe(2);
  expect(countCalls(log, theirs)).toBe(1);
  expect(countCalls('', ours)).toBe(0);
});
