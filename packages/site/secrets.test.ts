import { type Logger, reportError, silentLogger, SuperfluidityError, systemClock } from '@superfluidity/core';
import { expect, test } from 'vitest';
import type { DriverKind, OpenSite, SiteDriver, UnitSpec } from './driver.ts';
import './errors.ts';
import { openWithSecrets } from './secrets.ts';

const VALUE = 'p4ss"word with a quote\nand a second long line';
const source = {
  read: async (name: string) => {
    if (name === 'db') return VALUE;
    throw new SuperfluidityError('SF-SITE-CONFIG', { reason: `no secret ${name}` });
  },
};
const logged: unknown[] = [];
const log: Logger = { ...silentLogger, warn: (fields, message) => logged.push([fields, message]) };
const site = (config: Record<string, unknown>): OpenSite => ({
  id: 'site-1',
  name: 'edge',
  config,
  stateFolder: '/nowhere',
  clock: systemClock,
  log,
});
const spec = (env: Record<string, string>) =>
  ({ id: 'u', execution: { environment: 'container', env } }) as never as UnitSpec;
const call = {} as never;

/** A driver that says all that it knows, wherever it can. */
function talkative(seen: unknown[]): DriverKind {
  return {
    kind: 'talkative',
    configSchema: {},
    missing: async () => [],
    async open({ config, log: own }) {
      seen.push(config);
      if (config['refuse'] === true)
        throw new SuperfluidityError('SF-SITE-CONFIG', { reason: `wrong: ${JSON.stringify(config)}` });
      own.warn({ config: { deep: [config] } }, `opened with ${String(config['password'])}`);
      const fail = (): never => {
        const cause = Object.assign(new Error(`401 for ${encodeURIComponent(VALUE)}`), { code: 'EAUTH' });
        const said = { request: `curl -u x:${VALUE}`, answer: Buffer.from(VALUE).toString('base64') };
        throw new SuperfluidityError('SF-SITE-UNAVAILABLE', {
          reason: VALUE,
          ...said,
          data: { tried: [VALUE] },
          cause,
        });
      };
      return {
        name: 'edge',
        kind: 'talkative',
        fabric: { ensurePath: async () => fail() },
        ensureUnit: async (given: UnitSpec) => {
          seen.push(given.execution.env);
          return { id: given.id, handles: { env: given.execution.env!['PASSWORD']! } };
        },
        ensureUnits: async (given: readonly UnitSpec[]) => {
          seen.push(...given.map((one) => one.execution.env));
          return given.map(() => ({ ok: false, error: new Error(VALUE) }));
        },
        prepare: async (_service: string, classes: readonly { template: { execution: unknown } }[]) => {
          seen.push(classes[0]!.template.execution);
        },
        readOutput: async () => ({ lines: ['and a second long line', `x=${VALUE}`, 'nothing'], next: 9 }),
        async *watch() {
          yield { kind: 'unit', unitId: 'u', state: 'failed', reason: `exited: ${VALUE}` };
        },
        removeUnit: () => fail(),
      } as never as SiteDriver;
    },
  };
}

test('references become values for the driver, and nothing of them comes out again', async () => {
  const seen: unknown[] = [];
  const driver = await openWithSecrets(
    talkative(seen),
    site({ password: 'secret:db', nested: [{ key: 'secret:db' }], plain: 'no secret:db here' }),
    source,
  );
  expect(seen[0]).toEqual({ password: VALUE, nested: [{ key: VALUE }], plain: 'no secret:db here' });
  const out: unknown[] = [logged];
  out.push(await driver.ensureUnit(spec({ PASSWORD: 'secret:db', PLAIN: 'x' }), call));
  expect(seen[1]).toEqual({ PASSWORD: VALUE, PLAIN: 'x' });
  const outcomes = await driver.ensureUnits([spec({ PASSWORD: 'secret:db' }), spec({ PLAIN: 'x' })], call);
  expect(seen.slice(2)).toEqual([{ PASSWORD: VALUE }, { PLAIN: 'x' }]);
  await driver.prepare('s', [{ template: spec({ PASSWORD: 'secret:db' }), size: 1 }], call);
  expect(seen[4]).toMatchObject({ env: { PASSWORD: VALUE } });
  out.push(...outcomes.map((one) => (one.ok ? one : reportError(one.error))));
  out.push(await driver.readOutput('u', 0));
  for await (const event of driver.watch(AbortSignal.timeout(1_000))) out.push(event);
  for (const failing of [() => driver.removeUnit('u', call), () => driver.fabric.ensurePath({} as never, call)]) {
    const error = await Promise.resolve()
      .then(failing)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'SF-SITE-UNAVAILABLE', cause: { code: 'EAUTH' } });
    out.push(reportError(error), (error as Error).stack);
  }
  const text = JSON.stringify(out);
  for (const form of [
    'p4ss',
    'second long line',
    encodeURIComponent('p4ss"word'),
    Buffer.from(VALUE).toString('base64').slice(0, 12),
  ])
    expect(text).not.toContain(form);
  expect(text).toContain('[secret db]');
});

test('an error while the site is opened hides them too, and a secret that is not there is named', async () => {
  const error = await openWithSecrets(talkative([]), site({ password: 'secret:db', refuse: true }), source).catch(
    (caught: unknown) => caught,
  );
  expect(JSON.stringify(reportError(error))).not.toContain('p4ss');
  expect(reportError(error).message).toContain('[secret db]');
  await expect(openWithSecrets(talkative([]), site({ password: 'secret:gone' }), source)).rejects.toThrow(
    'no secret gone',
  );
});
