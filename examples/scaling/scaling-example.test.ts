import { readFile } from 'node:fs/promises';
import { readNative } from '@superfluidity/dialects';
import { simulated } from '@superfluidity/driver-simulated';
import { silentLogger, systemClock } from '@superfluidity/core';
import { autoscaleShape, unitsOf } from '@superfluidity/model';
import { Decider } from '@superfluidity/scale';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const text = (name: string) => readFile(new URL(name, import.meta.url), 'utf8');

test('the service has a policy that can decide, and so can the one beside it', async () => {
  const { service, problems } = readNative(await text('service.yaml'));
  expect(problems).toEqual([]);
  const { unit } = unitsOf(service!).find(({ path }) => path === 'video/video')!;
  expect(new Decider(unit.autoscale!, unit.scale!).bounds).toEqual({ minReplicas: 1, maxReplicas: 6 });
  const policy = autoscaleShape.parse(parse(await text('threshold.yaml')));
  expect(new Decider(policy, unit.scale!).policy.kind).toBe('threshold');
});

test('the site takes its load', async () => {
  const config = parse(await text('site.yaml')) as Record<string, unknown>;
  const base = { id: 'example', name: 'lab', stateFolder: '/nowhere', clock: systemClock, log: silentLogger };
  await (await simulated.open({ ...base, config })).close();
});
