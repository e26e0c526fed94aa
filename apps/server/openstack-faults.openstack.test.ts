import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@superfluidity/api';
import { silentLogger, systemClock } from '@superfluidity/core';
import { Cloud, listServers, networks, ports, securityGroups } from '@superfluidity/openstack';
import {
  authWords,
  FaultProxy,
  laboratory,
  overQuota,
  type OwnProject,
  ownProject,
} from '@superfluidity/openstack/testing';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseServerArgs, type ServerOptions } from './options.ts';
import { type RunningServer, startServer } from './server.ts';
import { completed, settled, sourceOf } from './testing/operations.ts';

/** What a user of the control plane sees of a cloud that refuses, breaks or restarts, and that `terminate` cleans up after it. */

const lab = laboratory();
const why = lab === undefined ? ' (skipped: no OpenStack laboratory runs here)' : '';
const PATIENCE_MS = 600_000;

const service = (count: number) => `superfluidity: 1
service:
  name: shop
  version: '1'
  networks: [{name: lan, prefix: 10.62.0.0/16}]
  functions:
    - name: web
      environment: vm
      image: 'name:lab-image'
      health: {kind: running, timeoutMs: 5000}
      ports: [lan]
      scale: {initial: ${count}, min: 0, max: 20}
      requirements: {cpu: 1, memoryMiB: 64}
`;

/** What a report and its causes say, from the top down. */
interface Report {
  readonly code: string;
  readonly message: string;
  readonly cause?: Report | undefined;
}
const chainOf = (report: Report | undefined): readonly Report[] =>
  report === undefined ? [] : [report, ...chainOf(report.cause)];

describe.skipIf(lab === undefined)(`a control plane over a cloud with faults${why}`, { timeout: PATIENCE_MS }, () => {
  let own: OwnProject;
  let proxy: FaultProxy;
  let cloud: Cloud;
  let state: string;
  let server: RunningServer;
  let client: Client;
  const signal = () => AbortSignal.timeout(60_000);

  const auth = () => authWords({ ...own.config, authUrl: proxy.authUrl });
  const addSite = (name: string, changes: Record<string, string> = {}) =>
    client.call('addSite', {
      body: { name, kind: 'openstack', config: { auth: { ...auth(), ...changes }, pollMs: 2_000 } },
    });
  const deploy = async (count: number) => {
    const { operation } = await client.call('deployService', { body: { source: sourceOf(service(count)) } });
    return operation;
  };
  const terminated = async () => {
    const { operation } = await client.call('terminateService', { params: { name: 'shop' } });
    await completed(client, operation, PATIENCE_MS);
  };
  /** What rests half way is in the way of anything else until somebody says that it failed. */
  const endOf = async (id: string) => {
    const { state: now } = await settled(client, id, PATIENCE_MS);
    if (now === 'FAILED_TEMP') await client.call('failOperation', { params: { id } });
  };
  const left = async () => [
    ...(await listServers(cloud, {}, signal())).map(({ name }) => `server ${name}`),
    ...(await ports.list(cloud, { project_id: own.id }, signal())).map(({ name }) => `port ${name}`),
    ...(await networks.list(cloud, { project_id: own.id }, signal())).map(({ name }) => `network ${name}`),
  ];

  beforeAll(async () => {
    own = await ownProject(lab!, `sf-server-${process.pid}`);
    proxy = await FaultProxy.start(lab!.authUrl);
    cloud = new Cloud({ config: own.config, clock: systemClock, log: silentLogger });
    state = await mkdtemp(join(tmpdir(), 'sf-openstack-faults-'));
    server = await startServer(
      parseServerArgs(['--state', state, '--port', '0'], {}) as ServerOptions,
      pino({ level: 'silent' }),
    );
    client = createClient({ server: server.url, token: server.adminToken });
    await networks.create(cloud, { name: 'foreign' }, signal());
    await addSite('cloud');
  }, PATIENCE_MS);
  afterEach(async () => {
    proxy.strike();
    for (const { id, state: now } of (await client.call('listOperations', { query: {} })).items)
      if (!['COMPLETED', 'FAILED', 'ROLLED_BACK'].includes(now)) await endOf(id);
    if ((await client.call('listServices', { query: {} })).items.length > 0) await terminated();
    expect(await left()).toEqual(['network foreign']);
  }, PATIENCE_MS);
  afterAll(async () => {
    await server.close();
    for (const { id } of await networks.list(cloud, { project_id: own.id }, signal()))
      await networks.delete(cloud, id, signal());
    for (const one of await securityGroups.list(own.admin, { project_id: own.id }, signal()))
      if (one.name !== 'default') await securityGroups.delete(own.admin, one.id, signal());
    await cloud.close();
    await proxy.stop();
    await own.remove();
    await rm(state, { recursive: true, force: true });
  }, PATIENCE_MS);

  it('shows a site whose credentials are refused as such, in the words of Keystone', async () => {
    const { healthy, error } = await addSite('wrong', { password: 'not-the-password' });
    expect(healthy).toBe(false);
    expect(error).toMatchObject({
      code: 'SF-OPENSTACK-CREDENTIALS',
      message: expect.stringMatching(/The request you have made requires authentication\. \(req-[0-9a-f-]+\)/),
      hint: expect.stringContaining('password'),
    });
    expect(JSON.stringify(error)).not.toContain('not-the-password');
    // Whether something of it is there only the right credentials can tell.
    expect(await addSite('wrong')).toMatchObject({ healthy: true });
    await client.call('removeSite', { params: { name: 'wrong' } });
  });

  it('rests with the words of Neutron when a quota is exhausted, and goes on when it was raised', async () => {
    proxy.strike({ service: 'network', method: 'POST', path: /ports$/, after: 1, fault: overQuota('port') });
    const operation = await deploy(3);
    const ended = await settled(client, operation, PATIENCE_MS);
    expect(ended.state).toBe('FAILED_TEMP');
    const reports = chainOf(ended.error);
    expect(reports.map(({ code }) => code)).toContain('SF-OPENSTACK-QUOTA');
    expect(reports.map(({ message }) => message).join(' ')).toMatch(
      /Quota exceeded for resources: \['port'\]\. \(req-/,
    );
    expect((await left()).filter((name) => /^(?:server|port) /.test(name))).toHaveLength(2);
    proxy.strike();
    await client.call('retryOperation', { params: { id: operation } });
    await completed(client, operation, PATIENCE_MS);
    expect((await left()).filter((name) => name.startsWith('server '))).toHaveLength(3);
  });

  it('terminates what failed half way, and leaves what is not its own', async () => {
    proxy.strike({
      service: 'compute',
      method: 'POST',
      path: /servers$/,
      after: 1,
      fault: { kind: 'answer', status: 500, body: { computeFault: { message: 'Unexpected API Error.' } } },
    });
    const ended = await settled(client, await deploy(3), PATIENCE_MS);
    expect(ended.state).toBe('FAILED_TEMP');
    expect(
      chainOf(ended.error)
        .map(({ message }) => message)
        .join(' '),
    ).toContain('Unexpected API Error.');
    // The one that came about is kept for a retry; of the others nothing is left.
    expect((await left()).filter((name) => name.startsWith('server '))).toHaveLength(1);
    expect((await left()).filter((name) => name.startsWith('port '))).toHaveLength(1);
    proxy.strike();
    await endOf(ended.id);
    await terminated();
  });

  it('rests when it cannot clean up, and finishes when it can', async () => {
    await completed(client, await deploy(1), PATIENCE_MS);
    proxy.strike({
      service: 'network',
      method: 'DELETE',
      fault: {
        kind: 'answer',
        status: 500,
        body: {
          NeutronError: {
            type: 'HTTPInternalServerError',
            message: 'Request Failed: internal server error while processing your request.',
          },
        },
      },
    });
    const { operation } = await client.call('terminateService', { params: { name: 'shop' } });
    const ended = await settled(client, operation, PATIENCE_MS);
    expect(ended.state).toBe('FAILED_TEMP');
    expect(
      chainOf(ended.error)
        .map(({ message }) => message)
        .join(' '),
    ).toContain('Request Failed: internal server error');
    proxy.strike();
    await client.call('retryOperation', { params: { id: operation } });
    await completed(client, operation, PATIENCE_MS);
  });

  it('goes on past a Neutron that is away for a while', async () => {
    const operation = await deploy(2);
    await expect
      .poll(() => proxy.seen.some(({ method, service: type }) => method === 'POST' && type === 'network'), {
        timeout: 60_000,
      })
      .toBe(true);
    proxy.strike({ service: 'network', fault: { kind: 'drop', after: 'nothing' } });
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    proxy.strike();
    let ended = await settled(client, operation, PATIENCE_MS);
    if (ended.state === 'FAILED_TEMP') {
      expect(chainOf(ended.error).map(({ code }) => code)).toContain('SF-OPENSTACK-UNAVAILABLE');
      await client.call('retryOperation', { params: { id: operation } });
      ended = await completed(client, operation, PATIENCE_MS);
    }
    expect(ended.state).toBe('COMPLETED');
    expect((await left()).filter((name) => /^(?:server|port) /.test(name))).toHaveLength(4);
  });
});
