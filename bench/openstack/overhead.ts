import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Cloud, networks, path, ports, subnets } from '@superfluidity/openstack';
import { silentLogger, systemClock } from '@superfluidity/core';
import { timing } from '../statistics.ts';
import type { Case } from './case.ts';
import { ratioOf } from './report.ts';

const run = promisify(execFile);
const signal = new AbortController().signal;

/** One way to ask Neutron: takes a method, a path and a body, and returns the answer and how long it took. */
type Asker = (
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  to: string,
  body?: object,
) => Promise<{ readonly ms: number; readonly answer: unknown }>;

/** What a unit with one port on a network of its own takes, and its end. */
async function byAsking(ask: Asker, name: string): Promise<number> {
  let sumMs = 0;
  const id = async (key: string, ...asked: Parameters<Asker>) => {
    const { ms, answer } = await ask(...asked);
    sumMs += ms;
    return (answer as Readonly<Record<string, { readonly id: string }>> | undefined)?.[key]?.id ?? '';
  };
  const network = await id('network', 'POST', '/v2.0/networks', { network: { name } });
  const subnet = { name, network_id: network, ip_version: 4, cidr: '10.97.0.0/24' };
  const subnetId = await id('subnet', 'POST', '/v2.0/subnets', { subnet });
  const port = await id('port', 'POST', '/v2.0/ports', { port: { name, network_id: network } });
  await id('port', 'GET', path`/v2.0/ports/${port}`);
  await id('port', 'PUT', path`/v2.0/ports/${port}`, { port: { name: `${name}-again` } });
  await id('port', 'GET', `/v2.0/ports?network_id=${network}`);
  await id('', 'DELETE', path`/v2.0/ports/${port}`);
  await id('', 'DELETE', path`/v2.0/subnets/${subnetId}`);
  await id('', 'DELETE', path`/v2.0/networks/${network}`);
  return sumMs;
}

/** The same by the functions that drivers use, with all that these check. */
async function byClient(cloud: Cloud, name: string): Promise<number> {
  const startedMs = performance.now();
  const network = await networks.create(cloud, { name }, signal);
  const wanted = { name, network_id: network.id, ip_version: 4, cidr: '10.97.0.0/24' } as const;
  const subnet = await subnets.create(cloud, wanted, signal);
  const port = await ports.create(cloud, { name, network_id: network.id }, signal);
  await ports.show(cloud, port.id, signal);
  await ports.update(cloud, port.id, { name: `${name}-again` }, signal);
  await ports.list(cloud, { network_id: network.id }, signal);
  await ports.delete(cloud, port.id, signal);
  await subnets.delete(cloud, subnet.id, signal);
  await networks.delete(cloud, network.id, signal);
  return performance.now() - startedMs;
}

/** As curl itself counts the time, so without the start of its process. */
function byCurl(base: string, token: string): Asker {
  return async (method, to, body) => {
    const asked = run('curl', [
      '--silent',
      '--show-error',
      '--fail',
      '--request',
      method,
      '--write-out',
      '\n%{time_total}',
      '--header',
      '@-',
      ...(body === undefined ? [] : ['--header', 'Content-Type: application/json', '--data', JSON.stringify(body)]),
      `${base}${to}`,
    ]);
    // Arguments can be read by everybody on the machine.
    asked.child.stdin?.end(`X-Auth-Token: ${token}\nAccept: application/json\n`);
    const { stdout } = await asked;
    const [text, seconds] = [stdout.slice(0, stdout.lastIndexOf('\n')), stdout.slice(stdout.lastIndexOf('\n') + 1)];
    return { ms: Number(seconds) * 1_000, answer: method === 'POST' ? JSON.parse(text) : undefined };
  };
}

/** Our client beside curl, with the same nine calls, by turns. */
export const overhead: Case = async ({ project, rounds }, found) => {
  const cloud = new Cloud({ config: project.config, clock: systemClock, log: silentLogger });
  try {
    const base = await cloud.endpoint('network');
    const { token } = await cloud.session();
    if (base === undefined) throw new Error('the laboratory has no Neutron');
    const curl = byCurl(base, token);
    const ways = {
      client: (name: string) => byClient(cloud, name),
      curl: (name: string) => byAsking(curl, name),
    };
    const times: Record<keyof typeof ways, number[]> = { client: [], curl: [] };
    // The first of each opens what is opened once.
    for (const way of Object.values(ways)) await way('overhead-first');
    for (let round = 0; round < rounds; round += 1) {
      const order = ['client', 'curl'] as const;
      for (const which of round % 2 === 0 ? order : order.toReversed())
        times[which].push(await ways[which](`overhead-${round}`));
    }
    const ours = timing('nine calls of Neutron, our client', times.client);
    const theirs = timing('nine calls of Neutron, curl', times.curl);
    found.row(ours);
    found.row({ ...theirs, peer: true });
    found.ratio(ratioOf('our client to curl, the same calls', ours, theirs, 1.1));
  } finally {
    await cloud.close();
  }
};
