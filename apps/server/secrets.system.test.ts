import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@superfluidity/api';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { parseServerArgs, type ServerOptions } from './options.ts';
import { startServer } from './server.ts';

const VALUE = 'correct-horse-7f3a';
const service = (env: string) => `superfluidity: 1
service:
  name: shop
  version: "1.0"
  networks: [{name: lan, prefix: 10.61.0.0/16}]
  functions:
    - {name: web, environment: container, image: "host:", command: [sh], ports: [lan], env: {PASSWORD: "${env}"}}
`;

/** Everything that a server writes or answers is looked through for the value that it was given. */
test('a secret is nowhere but sealed: not in the database, the log, events, operations, answers or files', {
  timeout: 90_000,
}, async () => {
  const state = await mkdtemp(join(tmpdir(), 'sf-secrets-'));
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(line) });
  const server = await startServer(parseServerArgs(['--state', state, '--port', '0'], {}) as ServerOptions, log);
  try {
    const client = createClient({ server: server.url, token: server.adminToken });
    const told: unknown[] = [];
    const source = (text: string) => ({ files: [{ path: 's.yaml', base64: Buffer.from(text).toString('base64') }] });
    const deploy = async (text: string) => {
      const { operation } = await client.call('deployService', { body: { source: source(text) } });
      const read = () => client.call('getOperation', { params: { id: operation } });
      await expect.poll(async () => (await read()).state, { timeout: 30_000 }).toMatch(/COMPLETED|FAILED/);
      told.push(await read());
      return read();
    };
    await client.call('addSite', { body: { name: 'edge', kind: 'simulated' } });
    // Before it is there: the step says what is missing, and the operation waits.
    const missing = await deploy(service('secret:db'));
    expect(missing).toMatchObject({ state: 'FAILED_TEMP' });
    expect(JSON.stringify(missing)).toContain('SF-SECRET-UNKNOWN');
    told.push(await client.call('setSecret', { params: { name: 'db' }, body: { kind: 'other', value: VALUE } }));
    await client.call('retryOperation', { params: { id: missing.id } });
    const read = () => client.call('getOperation', { params: { id: missing.id } });
    await expect.poll(async () => (await read()).state, { timeout: 30_000 }).toBe('COMPLETED');
    expect(await client.call('getSecret', { params: { name: 'db' } })).toMatchObject({
      setBy: 'admin',
      usedBy: [{ kind: 'service', name: 'shop' }],
    });
    // A driver that refuses what it was given says so: without what it was.
    const config = { seed: 'secret:db' };
    const refused = await client
      .call('addSite', { body: { name: 'core', kind: 'simulated', config } })
      .catch((error: unknown) => (error as { report: unknown }).report);
    expect(JSON.stringify(refused)).toContain('SF-');
    told.push(refused, await read());
    await client.call('rotateSecretKey');
    for (const route of [
      'listSecrets',
      'listSites',
      'listServices',
      'listOperations',
      'listEvents',
      'listDescriptors',
    ] as const)
      told.push(await client.call(route, { query: { limit: 1_000 } as never }));
    told.push(await client.call('getService', { params: { name: 'shop' } }), await client.metrics());
    told.push(await client.call('getDescriptor', { params: { id: 'shop' } }));
    const short = await client
      .call('setSecret', { params: { name: 'db' }, body: { kind: VALUE as 'other', value: VALUE } })
      .catch((error: unknown) => (error as { report: unknown }).report);
    told.push(short);
    const said = JSON.stringify(told) + lines.join('');
    expect(said.includes('"audit"')).toBe(true);
    expect(said.includes('secret:db')).toBe(true);
    for (const form of [VALUE, Buffer.from(VALUE).toString('base64').slice(0, 20)])
      expect(said.includes(form)).toBe(false);
  } finally {
    await server.close();
  }
  const files = (await readdir(state, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
  expect(files.length).toBeGreaterThan(20);
  for (const one of files) {
    const bytes = await readFile(join(one.parentPath, one.name));
    expect([one.name, bytes.includes(VALUE)]).toEqual([one.name, false]);
  }
  await rm(state, { recursive: true });
});
