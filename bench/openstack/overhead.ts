import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Call, Cloud, path } from '@superfluidity/openstack';
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
async function conversation(ask: Asker, name: string): Promise<number> {
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

function byClient(cloud: Cloud): Asker {
  return async (method, to, body) => {
    const [only, query] = to.split('?') as [string, string | undefined];
    const call: Call = {
      service: 'network',
      method,
      path: only,
      ...(query === undefined ? {} : { query: Object.fromEntries(new URLSearchParams(query)) }),
      ...(body === undefined ? {} : { body }),
      doing: 'measure',
      signal,
    };
    const startedMs = performance.now();
    const { text } = await cloud.send(call);
    const answer: unknown = text === '' ? undefined : JSON.parse(text);
    return { ms: performance.now() - startedMs, answer };
  };
}

/** As curl itself counts the time, so without the start of its process. */
function byCurl(base: string, token: string): Asker {
  return async (method, to, body) => {
    const { stdout } = await run('curl', [
      ...['--silent', '--show-error', '--fail', '--request', method, '--write-out', '\n%{time_total}'],
      ...['--header', `X-Auth-Token: ${token}`, '--header', 'Accept: application/json'],
      ...(body === undefined ? [] : ['--header', 'Content-Type: application/json', '--data', JSON.stringify(body)]),
      `${base}${to}`,
    ]);
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
    const askers = { client: byClient(cloud), curl: byCurl(base, token) };
    const times: Record<keyof typeof askers, number[]> = { client: [], curl: [] };
    // The first of each opens what is opened once.
    for (const asker of Object.values(askers)) await conversation(asker, 'overhead-first');
    for (let round = 0; round < rounds; round += 1) {
      const order = ['client', 'curl'] as const;
      for (const which of round % 2 === 0 ? order : order.toReversed())
        times[which].push(await conversation(askers[which], `overhead-${round}`));
    }
    const ours = timing('nine calls of Neutron, our client', times.client);
    const curl = timing('nine calls of Neutron, curl', times.curl);
    found.row(ours);
    found.row({ ...curl, peer: true });
    found.ratio(ratioOf('our client to curl, the same calls', ours, curl, 1.1));
  } finally {
    await cloud.close();
  }
};
