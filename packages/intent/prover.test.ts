import { readFileSync } from 'node:fs';
import { readNative } from '@superfluidity/dialects';
import { afterAll, expect, test } from 'vitest';
import { intentLimits } from './limits.ts';
import { onOneSite } from './plane.ts';
import { Prover } from './prover.ts';

const text = readFileSync(new URL('../../examples/mobile-edge/service.yaml', import.meta.url), 'utf8');
const service = readNative(text).service!;
const prover = new Prover();
afterAll(() => prover.close());

test('a thread that does not come to an answer in its time leaves policies and comparison unknown, with the reason', async () => {
  const nothing = { service: 'mobile-edge', files: [], units: [], unread: [] };
  // So little time that even what is granted beyond it is over at once.
  const milliseconds = -intentLimits.likenessMs - intentLimits.graceMs;
  const report = await prover.prove({ service, realised: nothing, meant: onOneSite(service), milliseconds });
  expect(report).toMatchObject({ plane: 'realised', answer: 'unknown' });
  expect(report.policies.map(({ answer }) => answer)).toEqual(service.policies!.map(() => 'unknown'));
  expect(report.likeness).toMatchObject({
    answer: 'unknown',
    because: 'It was not compared with what was meant: it took longer than it may.',
    bound: 'milliseconds',
  });
});

test('and the next one that is asked is answered by another thread', async () => {
  const report = await prover.prove({ service, intended: onOneSite(service) });
  expect(report.answer).toBe('holds');
});
