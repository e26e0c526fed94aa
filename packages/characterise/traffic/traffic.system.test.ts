import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import type { Sample } from '../analysis/results.ts';
import type { TrialRecord } from '../search/trial.ts';
import { useCases } from './use-cases.ts';
import { stopwatch } from './stopwatch.ts';

const service = { configuration: { vm_ram: 2048 }, addresses: { video: '127.0.0.1' }, experiment: 1 };
const never = new AbortController().signal;
const stress = (name: string, parameters: object, signal = never) =>
  useCases[name]!(parameters as Record<string, unknown>, stopwatch).stress(service, signal);

async function served<T>(listener: RequestListener, work: (port: number) => Promise<T>): Promise<T> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await work((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const total = (samples: readonly Sample[], metric: string, seconds: number) =>
  samples.reduce((sum, { metrics }) => sum + metrics[metric]! * seconds, 0);
const load = { step_deltas: [400], step_periods: [0.9], step_repetitions: [1], sample_period: 0.3, timeout: 2 };

test('a server that stops for a while is seen by all requests that it keeps waiting, and gets no less of them', async () => {
  let [stalledMs, asked] = [0, 0];
  const body = Buffer.alloc(1_000);
  const samples = await served(
    (_request, response) => {
      asked += 1;
      // The whole process stands still from the 120th request on, as in a collection of garbage.
      if (asked === 120) for (const until = performance.now() + 300; performance.now() < until; stalledMs += 1);
      response.end(body);
    },
    (port) => stress('http', { ...load, url: `http://{video}:${port}/` }),
  );
  expect(asked).toBe(360);
  expect(samples.map(({ atMs }) => atMs)).toEqual([300, 600, 900]);
  expect(total(samples, 'offered', 0.3)).toBeCloseTo(360, 6);
  expect(total(samples, 'error_share', 1)).toBe(0);
  expect(total(samples, 'throughput', 0.3)).toBeCloseTo(360 * 0.008, 6);
  // 300 ms of 400 requests a second: about 120 waited, 150 ms on average. One at a time would have noticed one of them.
  const waited = samples.reduce((sum, { metrics }) => sum + metrics['latency_mean']! * metrics['offered']! * 0.3, 0);
  expect(waited).toBeGreaterThan(100 * 140);
  expect(Math.max(...samples.map(({ metrics }) => metrics['latency_max']!))).toBeGreaterThan(280);
});

test('what fails counts as failed, with the time limit as its latency', async () => {
  const short = { ...load, step_deltas: [100], step_periods: [0.3], timeout: 0.4 };
  const codes = served(
    (request, response) => {
      response.statusCode = 503;
      if (request.socket.remotePort! >= 0) response.end();
    },
    (port) => stress('http', { ...short, url: `http://{video}:${port}/` }),
  );
  const silent = served(
    () => {},
    (port) => stress('http', { ...short, url: `http://{video}:${port}/` }),
  );
  const crowded = served(
    () => {},
    (port) => stress('http', { ...short, in_flight: 3, url: `http://{video}:${port}/` }),
  );
  for (const [sample] of await Promise.all([codes, silent, crowded])) {
    expect(sample!.metrics['error_share']).toBe(1);
    expect(sample!.metrics['latency']).toBeGreaterThanOrEqual(395);
    expect(sample!.metrics['throughput']).toBe(0);
  }
  await expect(stress('http', { ...short, url: 'ftp://{video}/' })).rejects.toThrow(/url/);
  await expect(stress('http', { ...short, url: 'http://{vidio}/' })).rejects.toThrow(/nothing is called \{vidio\}/);
  await expect(stress('http', { ...load, url: 'http://{video}:1/' }, AbortSignal.timeout(50))).rejects.toThrow();
});

test('datagrams are counted back, and strangers are not taken for them', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  let seen = 0;
  socket.on('message', (message, { port, address }) => {
    seen += 1;
    socket.send('hello, stranger: no answer', port, address);
    // Every fourth is lost.
    if (seen % 4 !== 0) socket.send(message, port, address);
  });
  const port = socket.address().port;
  const samples = await stress('udp', {
    ...load,
    step_deltas: [400],
    step_periods: [0.3],
    timeout: 0.3,
    host: '{video}',
    port,
    bytes: 100,
  });
  socket.close();
  expect(seen).toBe(120);
  expect(total(samples, 'error_share', 1)).toBeCloseTo(0.25, 6);
  expect(total(samples, 'throughput', 0.3)).toBeCloseTo((90 * 800) / 1e6, 6);
});

test('the rate at which datagrams begin to be lost is found', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  // A bucket of tokens: 1,000 datagrams a second, and ten at once.
  let [tokens, atMs] = [10, performance.now()];
  socket.on('message', (message, { port, address }) => {
    const nowMs = performance.now();
    [tokens, atMs] = [Math.min(10, tokens + nowMs - atMs), nowMs];
    if (tokens >= 1) socket.send(message, port, address);
    tokens = Math.max(0, tokens - 1);
  });
  const { port } = socket.address();
  const short = { first_trial: 0.05, trial: 0.1, residual: 0.05, width: 0.3, time_limit: 1.5 };
  const [sample] = await stress('throughput', { host: '{video}', port, min_rate: 50, max_rate: 20_000, ...short });
  socket.close();
  // How near depends on the machine: a pause of some milliseconds is a burst afterwards.
  expect(sample!.metrics['ndr']).toBeLessThan(2_000);
  expect(sample!.metrics['pdr']).toBeGreaterThanOrEqual(sample!.metrics['ndr']! * 0.5);
});

test('the tests of RFC 2544 of what sends everything back, but for a while after a reset', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  let deafUntilMs = 0;
  socket.on('message', (message, { port, address }) => {
    if (performance.now() >= deafUntilMs) socket.send(message, port, address);
  });
  const deafMs = 150;
  const onReset = () => {
    deafUntilMs = performance.now() + deafMs;
  };
  process.on('SIGUSR2', onReset);
  const options = {
    host: '{video}',
    port: socket.address().port,
    min_rate: 50,
    max_rate: 200,
    residual: 0.15,
    pause: 0,
    tests: ['throughput', 'latency', 'loss', 'burst', 'recovery', 'reset'],
    trial: 0.05,
    latency_trial: 0.05,
    latency_repeats: 2,
    burst: 0.05,
    burst_repeats: 1,
    burst_precision: 0.5,
    overload: 0.05,
    recovery: 0.2,
    repeats: 1,
    reset_trial: 0.8,
    reset: ['sh', '-c', `kill -USR2 ${process.pid}`],
  };
  const kept: TrialRecord[] = [];
  const hooks = { begun: () => {}, trials: kept, keep: async (trial: TrialRecord) => void kept.push(trial) };
  const [sample] = await useCases['rfc2544']!(options, stopwatch).stress(service, never, hooks);
  process.off('SIGUSR2', onReset);
  socket.close();
  const { rate, latency, reset, burst } = sample!.metrics;
  // A machine that is busy loses some: then the rate is lower, and everything was measured at that.
  expect(rate).toBeGreaterThanOrEqual(50);
  expect(rate).toBeLessThanOrEqual(200);
  expect(latency).toBeGreaterThan(0);
  expect(burst).toBeLessThanOrEqual(10);
  expect(reset).toBeGreaterThanOrEqual(deafMs * 0.9);
  expect(kept.length).toBeGreaterThanOrEqual(3);
  const { reset: _none, ...without } = options;
  expect(() => useCases['rfc2544']!(without, stopwatch)).toThrow(/how the system is reset/);
});

test('a program of others makes traffic, is told what it needs, and ends when it must', async () => {
  const node = (script: string, rest: object = {}) =>
    stress('external', { command: [process.execPath, '-e', script, '{video}', '{"a":1}'], time_limit: 20, ...rest });
  const print = `const told = JSON.parse(process.env.SUPERFLUIDITY_STRESS);
    for (const atMs of [1, 2]) console.log(JSON.stringify({ atMs, metrics: { ram: told.configuration.vm_ram, args: process.argv.length } }));
    if (process.argv[1] !== '127.0.0.1' || process.argv[2] !== '{"a":1}') process.exit(9);`;
  expect(await node(print)).toEqual([1, 2].map((atMs) => ({ atMs, metrics: { ram: 2048, args: 3 } })));
  const code = expect.objectContaining({ code: 'SF-CHARACTERISE-USE-CASE' });
  await expect(node('console.error("no card"); process.exit(3)')).rejects.toMatchObject({
    code: 'SF-CHARACTERISE-USE-CASE',
    details: { reason: 'it ended with 3', answer: 'no card\n' },
  });
  await expect(node('console.log("{}")')).rejects.toEqual(code);
  await expect(node('setInterval(() => {}, 1000)', { time_limit: 0.3 })).rejects.toThrow(/not over after 0.3 s/);
  await expect(node('process.stdout.write("x".repeat(1e6)); setInterval(() => {}, 1000)')).rejects.toThrow(/too much/);
  await expect(stress('external', { command: ['/nowhere/hammer'], time_limit: 1 })).rejects.toEqual(code);
});
