import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { stopwatch } from '../stopwatch.ts';
import { useCases } from '../use-cases.ts';
import { readWrk } from './wrk.ts';

const service = { configuration: {}, addresses: { server: '127.0.0.1' }, experiment: 0 };
const never = new AbortController().signal;
const stress = (name: string, parameters: object, share?: number) =>
  useCases[name]!(parameters as Record<string, unknown>, stopwatch).stress(
    share === undefined ? service : { ...service, share },
    never,
  );

function absent(program: string): string | undefined {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `${program} is not installed`;
  }
}
const titled = (title: string, why: string | undefined) => (why === undefined ? title : `${title} (skipped: ${why})`);

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const noWrk = absent('wrk');
describe.skipIf(noWrk !== undefined)(titled('wrk', noWrk), () => {
  test('measures what a server answers, and what it refuses', async () => {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      response.statusCode = asked % 4 === 0 ? 503 : 200;
      response.end('x'.repeat(1_000));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const samples = await stress(
      'wrk',
      { url: `http://{server}:${port}/`, connections: 2, duration: 2, samples: 1 },
      0.5,
    );
    server.closeAllConnections();
    server.close();
    expect(samples).toHaveLength(1);
    const { latency, latency_p99: p99, answered, error_share: share } = samples[0]!.metrics;
    expect(share).toBeCloseTo(0.25, 1);
    expect(latency).toBeLessThanOrEqual(p99!);
    // Half of its time was asked for: one second, in which so many were answered.
    expect(samples[0]!.atMs).toBeLessThan(1_900);
    expect(answered! * (samples[0]!.atMs / 1_000)).toBeCloseTo(asked * 0.75, -2);
  });
});

const noIperf = absent('iperf3');
describe.skipIf(noIperf !== undefined)(titled('iperf3', noIperf), () => {
  test.each([
    ['tcp', {}, ['throughput', 'retransmits', 'rtt']],
    ['udp', { mbps: 8, bytes: 1_000 }, ['throughput', 'jitter', 'error_share']],
  ])('%s: what goes through, as its server counts it too', async (protocol, more, metrics) => {
    const port = await freePort();
    const server = spawn('iperf3', ['-s', '-1', '-p', String(port), '-B', '127.0.0.1', '--forceflush'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      await once(server.stdout, 'data');
      const samples = await stress('iperf3', { host: '{server}', port, protocol, duration: 1, ...more });
      expect(samples.length).toBeGreaterThan(0);
      expect(Object.keys(samples[0]!.metrics)).toEqual(metrics);
      const { throughput } = samples[0]!.metrics;
      if (protocol === 'udp') expect(throughput).toBeLessThan(9);
      expect(throughput).toBeGreaterThan(1);
    } finally {
      server.kill('SIGKILL');
    }
  });

  test('what it refuses is told in its words', async () => {
    const port = await freePort();
    await expect(stress('iperf3', { host: '{server}', port, duration: 1 })).rejects.toMatchObject({
      code: 'SF-CHARACTERISE-USE-CASE',
      details: { reason: expect.stringContaining('refused'), request: expect.stringContaining('iperf3 --client') },
    });
  });
});

test('what wrk prints is read with its units, and nothing else is taken for it', () => {
  const text = `Running 1s test @ http://127.0.0.1:25203/
  1 threads and 4 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   733.00us   11.80ms   1.25s    88.23%
    Req/Sec     1.42k   538.07     2.39k    70.00%
  Latency Distribution
     50%  622.00us
     75%    8.55ms
     90%   23.11ms
     99%    1.20s 
  1500 requests in 1.50s, 1.50MB read
  Socket errors: connect 0, read 300, write 100, timeout 100
  Non-2xx or 3xx responses: 500
Requests/sec:   1000.00
Transfer/sec:      1.00MB
`.replaceAll(/ +$/gm, '');
  const { atMs, metrics } = readWrk(text)!;
  expect(atMs).toBe(1_500);
  expect(metrics).toMatchObject({
    latency: 0.622,
    latency_mean: 0.733,
    latency_p99: 1_200,
    latency_max: 1_250,
    error_share: 0.5,
  });
  expect(metrics.answered).toBeCloseTo(1_000 / 1.5, 9);
  expect(metrics.throughput).toBeCloseTo((2 ** 20 * 8) / 1e6, 9);
  expect(readWrk('unable to connect to 127.0.0.1:1 Connection refused')).toBeUndefined();
  expect(readWrk(text.replace('1.50MB', '1.50 parsecs'))).toBeUndefined();
});

test('a tool that is not there says which package brings it', async () => {
  const before = process.env['PATH'];
  process.env['PATH'] = '/nowhere';
  try {
    await expect(stress('wrk', { url: 'http://{server}:1/' })).rejects.toMatchObject({
      code: 'SF-CHARACTERISE-USE-CASE',
      details: { hint: expect.stringContaining('apt install wrk') },
    });
  } finally {
    process.env['PATH'] = before;
  }
});
