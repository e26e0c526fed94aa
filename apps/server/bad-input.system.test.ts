import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApiError } from '@superfluidity/api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { completed, sourceOf, until } from './testing/operations.ts';
import { type ServerProcess, startServerProcess } from './testing/server-process.ts';
import { simulatedService, simulatedSites } from './testing/simulated-world.ts';

const COMMAND = fileURLToPath(new URL('../cli/bin/superfluidity.js', import.meta.url));

/** A service that is sound but for what a case makes of it. */
const sound = simulatedService
  .replace('name: stream', 'name: bad')
  .replaceAll('10.45.', '10.55.')
  .replaceAll('10.46.', '10.56.')
  .replaceAll('10.99.0.', '10.98.0.');

function changed(from: string, to: string): string {
  expect(sound).toContain(from);
  return sound.replace(from, to);
}

interface Case {
  readonly what: string;
  readonly text: () => string | Uint8Array;
  readonly code: string;
}

const cases: readonly Case[] = [
  {
    what: 'an unknown field',
    text: () => changed('  version:', '  colour: red\n  version:'),
    code: 'SF-DESCRIPTOR-UNKNOWN-FIELD',
  },
  { what: 'a wrong type', text: () => changed('cpu: 0.5', 'cpu: much'), code: 'SF-DESCRIPTOR-TYPE' },
  {
    what: 'units that are nested in a circle',
    text: () =>
      changed('      ports: [users]\n', '      nested: {parent: video}\n      ports: [users]\n').replace(
        '      scale: {initial: 2, min: 0, max: 8}\n',
        '      nested: {parent: ue}\n',
      ),
    code: 'SF-MODEL-CYCLE',
  },
  {
    what: 'units that wait for each other in a circle',
    text: () => changed('location: {sites: [core]}', 'location: {sites: [core]}, after: [ue]'),
    code: 'SF-MODEL-CYCLE',
  },
  {
    what: 'a chain through a function that does not exist',
    text: () => changed('through: [firewall]', 'through: [wall]'),
    code: 'SF-MODEL-REFERENCE',
  },
  {
    what: 'two units with one address',
    text: () =>
      changed('ports: [apps]', 'ports: [{name: eth0, network: apps, address: 10.56.0.9}]')
        .replace('ports: [apps]', 'ports: [{name: eth0, network: apps, address: 10.56.0.9}]')
        .replace('      scale: {initial: 2, min: 0, max: 8}\n', ''),
    code: 'SF-MODEL-ADDRESS',
  },
  {
    what: 'a YAML bomb',
    text: () => {
      const level = (n: number) =>
        `  l${n}: &l${n} [${Array(10)
          .fill(`*l${n - 1}`)
          .join(', ')}]\n`;
      return `bomb:\n  l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n${[1, 2, 3, 4, 5, 6, 7, 8, 9].map(level).join('')}${sound}`;
    },
    code: 'SF-DESCRIPTOR-ALIASES',
  },
  {
    what: 'a name with path separators',
    text: () => changed('name: bad', 'name: ../../etc/passwd'),
    code: 'SF-MODEL-NAME',
  },
  {
    what: 'bytes that are not UTF-8',
    text: () =>
      Buffer.concat([
        Buffer.from(sound.slice(0, 60)),
        Buffer.from([0xff, 0xfe, 0xc3, 0x28]),
        Buffer.from(sound.slice(60)),
      ]),
    code: 'SF-DESCRIPTOR-ENCODING',
  },
  { what: 'brackets a million deep', text: () => '['.repeat(1_000_000), code: 'SF-DESCRIPTOR-TOO-DEEP' },
];

describe('bad input', { timeout: 60_000 }, () => {
  let folder: string;
  let server: ServerProcess;
  let before: unknown;

  async function journals(): Promise<readonly string[]> {
    const sites = join(folder, 'state', 'sites');
    return (await readdir(sites)).toSorted().map((name) => join(sites, name));
  }

  /** All that the control plane knows, and every byte that the sites have written. */
  async function everything() {
    const { client } = server;
    return {
      services: (await client.call('listServices')).items,
      operations: (await client.call('listOperations')).items,
      descriptors: (await client.call('listDescriptors')).items,
      sites: (await client.call('listSites')).items,
      links: (await client.call('listLinks')).items,
      tokens: (await client.call('listTokens')).items.map((token) => token.name),
      // But those that say who asked: refusals are among them.
      events: (await client.call('listEvents', { query: { limit: 5_000 } })).items.filter(
        ({ kind }) => kind !== 'audit',
      ),
      journals: await Promise.all((await journals()).map(async (file) => [file, (await readFile(file)).length])),
    };
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sf-bad-'));
    server = await startServerProcess({ state: join(folder, 'state') });
    await simulatedSites(server.client, join(folder, 'state', 'sites'), { startMs: 0, fabricMs: 0 });
    const { operation } = await server.client.call('deployService', { body: { source: sourceOf(simulatedService) } });
    await completed(server.client, operation);
    // The first look at the sites after they were added is the last thing that is written there.
    await until('the sites are looked after', async () => {
      const texts = await Promise.all((await journals()).map((file) => readFile(file, 'utf8')));
      return texts.every((text) => text.includes('charge/')) ? true : undefined;
    });
  });

  beforeEach(async () => {
    before = await everything();
    return async () => expect(await everything()).toEqual(before);
  });

  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const refusal = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ApiError);
    return error as ApiError;
  };

  function cli(...args: string[]): Promise<{ readonly code: number; readonly text: string }> {
    const env = { ...process.env, SUPERFLUIDITY_SERVER: server.url, SUPERFLUIDITY_TOKEN: server.token };
    return new Promise((resolve) => {
      execFile(process.execPath, [COMMAND, ...args], { env, timeout: 30_000 }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code), text: out + err });
      });
    });
  }

  describe.each(cases)('$what', ({ text, code }) => {
    test('is refused by the API with a code and the place, and nothing is changed', async () => {
      const source = sourceOf(text());
      for (const call of ['deployService', 'planService'] as const) {
        const { status, report } = await refusal(server.client.call(call, { body: { source } }));
        expect(status).toBe(422);
        expect(report).toMatchObject({ code: 'SF-LIFECYCLE-DESCRIPTOR', hint: expect.any(String) });
        const { problems } = report.data as { problems: { code: string; position?: { line: number } }[] };
        expect(problems.map((problem) => problem.code)).toContain(code);
        expect(problems.find((problem) => problem.code === code)!.position?.line).toBeGreaterThan(0);
      }
      const checked = await server.client.call('checkService', { body: source });
      expect(checked.ok).toBe(false);
    });

    test('ends the command with code 2, the code and the place', async () => {
      const file = join(folder, 'case.yaml');
      await writeFile(file, text());
      const { code: exit, text: said } = await cli('deploy', file);
      expect(said).toContain(code);
      expect(said).toMatch(/case\.yaml:\d+:\d+/);
      expect(exit).toBe(2);
    });
  });

  test.each([
    ['fits nowhere', () => changed('cpu: 0.5', 'cpu: 5000'), 'SF-PLACE-'],
    ['wants the prefix of another one', () => sound.replaceAll('10.55.', '10.45.'), 'SF-LIFECYCLE-PREFIX-IN-USE'],
    ['has the name of another one', () => simulatedService, 'SF-LIFECYCLE-NAME-TAKEN'],
  ])('a service that %s is refused, and not onboarded either', async (_what, text, code) => {
    const { report } = await refusal(server.client.call('deployService', { body: { source: sourceOf(text()) } }));
    expect(report.code).toContain(code);
    expect(report.hint).toEqual(expect.any(String));
  });

  test('a descriptor of 50 MB is refused, by the server and by the command', async () => {
    const large = Buffer.alloc(50_000_000, '# more and more\n');
    const { status, report } = await refusal(server.client.call('checkService', { body: sourceOf(large) }));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(report).toMatchObject({
      code: expect.stringMatching(/^SF-SERVER-(REQUEST|TOO-LARGE)$/),
      hint: expect.any(String),
    });
    const file = join(folder, 'large.yaml');
    await writeFile(file, large);
    const outcome = await cli('deploy', file);
    expect(outcome.text).toContain('SF-CLI-FILE');
    expect(outcome.code).toBe(2);
    await rm(file);
  });

  test.each([
    ['an unknown field', { name: 'x', kind: 'simulated', colour: 'red' }],
    ['a wrong type', { name: 7, kind: 'simulated' }],
    ['a name with path separators', { name: '../x', kind: 'simulated' }],
    ['a kind that does not exist', { name: 'x', kind: 'mainframe' }],
    ['a configuration that the driver does not understand', { name: 'edge', kind: 'simulated', config: { hosts: -1 } }],
  ])('a site with %s is refused and changes nothing', async (_what, body) => {
    const full = { config: {}, cells: [], services: [], price: { core: 1, gib: 1 }, ...body };
    const { report, status } = await refusal(server.client.call('addSite', { body: full as never }));
    expect(status).toBeLessThan(500);
    expect(report).toMatchObject({
      code: expect.stringMatching(/^SF-/),
      message: expect.any(String),
      hint: expect.any(String),
    });
    // The site that the declaration would have changed works as before.
    expect(await server.client.call('getSite', { params: { name: 'edge' } })).toMatchObject({ healthy: true });
  });

  test.each([
    ['no JSON', 'not json', 'application/json'],
    ['JSON that breaks off', '{"source": {"files": [', 'application/json'],
    ['another type of content', 'a=b', 'application/x-www-form-urlencoded'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'application/json'],
  ])('a request with %s is refused as a coded problem', async (_what, body, type) => {
    const response = await fetch(`${server.url}/api/v1/services`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': type },
      body,
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(await response.json()).toMatchObject({
      error: { code: expect.stringMatching(/^SF-SERVER-/), hint: expect.any(String) },
    });
  });
});
