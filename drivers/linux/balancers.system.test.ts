import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import type { BalancerMember, BalancerSpec } from '@superfluidity/fabric';
import { type ProcessRef, Records, scopeOf } from '@superfluidity/router';
import type { SiteDriver, UnitStatus } from '@superfluidity/site';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linuxDriver } from './index.ts';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';

const run = promisify(execFile);
const TIMEOUT_MS = 60_000;
const reason = missingForKernelTests(['ip', 'nft', 'haproxy', 'curl', 'openssl', 'runc']);

/** Says who it is, by http, to each line of a flow and to each datagram; and that it is ill, when it was told so. */
const member = (name: string) => `
const http = require('node:http'), net = require('node:net'), udp = require('node:dgram').createSocket('udp4');
let well = true;
http.createServer((request, response) => {
  if (request.url === '/ill') well = false;
  if (request.url === '/mended') well = true;
  response.statusCode = request.url === '/health' && !well ? 503 : 200;
  if (request.url === '/login') response.setHeader('set-cookie', 'SESSION=' + Math.random());
  const { 'x-forwarded-for': client, 'x-forwarded-proto': scheme } = request.headers;
  const end = () => response.end(JSON.stringify({ name: '${name}', client, scheme, url: request.url }) + '\\n');
  if (request.url.startsWith('/slow')) setTimeout(end, 1500); else end();
}).listen(8080, '0.0.0.0');
net.createServer((flow) => {
  flow.on('error', () => {});
  flow.on('data', (text) => flow.write('${name} ' + text));
}).listen(8081, '0.0.0.0');
udp.on('message', (text, from) => udp.send('${name}', from.port, from.address)).bind(8082);
`;

describe.skipIf(reason !== undefined)(titled('balancers of a linux site', reason), { timeout: TIMEOUT_MS }, () => {
  const id = newId('site');
  const scope = scopeOf(id);
  const folder = mkdtempSync(join(tmpdir(), 'superfluidity-balancers-'));
  let site: SiteDriver;
  let client: UnitStatus;
  const members = new Map<string, BalancerMember>();
  const call = () => ({ key: 'test', fence: 1, signal: AbortSignal.timeout(TIMEOUT_MS) });

  const start = (name: string, command: readonly string[], health?: { kind: 'tcp'; port: number; timeoutMs: number }) =>
    site.ensureUnit(
      {
        id: `unit-${name}`,
        service: 'svc-balanced',
        path: name,
        index: 0,
        host: 'h1',
        execution: { environment: 'process', command, ...(health === undefined ? {} : { health }) },
        cpu: 0.1,
        memoryMiB: 64,
        storageMiB: 1,
        ports: [{ id: `port-${name}`, name: 'eth0', network: 'net-b', serviceAddresses: [] }],
        facts: {},
      },
      call(),
    );
  const inside = async (program: readonly string[]) =>
    (await run('ip', ['netns', 'exec', client.handles['namespace']!, ...program], { timeout: 20_000 })).stdout;
  const curl = (...args: readonly string[]) => inside(['curl', '-sS', '--max-time', '10', ...args]);

  const ADDRESS = '10.75.1.200';
  let made: BalancerSpec | undefined;
  const ensure = async (spec: Partial<BalancerSpec>) => {
    if (spec.layer !== undefined && made !== undefined) await site.fabric.removeBalancer(made.id, call());
    const base = made !== undefined && spec.layer === undefined ? made : undefined;
    made = {
      id: 'b',
      service: 'svc-balanced',
      name: 'front',
      network: 'net-b',
      address: ADDRESS,
      port: 80,
      layer: 'http',
      members: [...members.values()],
      ...base,
      ...spec,
    };
    await site.fabric.ensureBalancer(made, call());
    const proxied = new Records<{ process: ProcessRef }>(join(scope.folder, 'proxies'), silentLogger).values();
    return proxied[0]?.process.pid;
  };
  const at = (name: string, port: number, more: Partial<BalancerMember> = {}): BalancerMember => ({
    ...members.get(name)!,
    port,
    ...more,
  });
  /** How often each answered. */
  const counted = (text: string) => {
    const names = [...text.matchAll(/"name":"(\w+)"/g)].map(([, name]) => name!);
    return Object.fromEntries(
      [...Map.groupBy(names, (name) => name)]
        .map(([name, all]) => [name, all.length] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    );
  };
  const asked = async (times: number, ...args: readonly string[]) =>
    counted(await curl(...args, `http://${ADDRESS}/?n=[1-${times}]`));
  const closing = ['-H', 'Connection: close'];
  const until = async <T>(look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> => {
    let seen = await look();
    for (let tries = 0; tries < 60 && !holds(seen); tries += 1) {
      await systemClock.sleep(100);
      seen = await look();
    }
    expect(seen).toSatisfy(holds);
    return seen;
  };

  beforeAll(async () => {
    site = await linuxDriver.open({
      id,
      name: 'balanced',
      config: { hosts: [{ name: 'h1', cpu: 8, memoryMiB: 8192 }] },
      stateFolder: folder,
      clock: systemClock,
      log: silentLogger,
    });
    const network = { id: 'net-b', service: 'svc-balanced', name: 'b', prefix: '10.75.1.0/24' };
    await site.fabric.ensureNetwork({ ...network, supernet: '10.75.0.0/16', mtu: 1500 }, call());
    client = await start('client', ['sleep', '1000']);
    for (const name of ['a', 'b', 'c']) {
      const health = { kind: 'tcp', port: 8080, timeoutMs: 20_000 } as const;
      const unit = await start(name, [process.execPath, '-e', member(name)], health);
      members.set(name, { address: unit.ports[0]!.address, port: 8080, draining: false });
    }
  }, TIMEOUT_MS);

  afterAll(async () => {
    await site?.purge();
    await site?.close();
    rmSync(folder, { recursive: true, force: true });
  }, TIMEOUT_MS);

  test('shares requests and flows by weight, and leaves the reserve alone', async () => {
    const weighted = [at('a', 8080, { weight: 3 }), at('b', 8080), at('c', 8080, { backup: true })];
    await ensure({ layer: 'http', members: weighted });
    expect(await asked(40)).toEqual({ a: 30, b: 10 });
    await ensure({ members: [at('a', 8080, { weight: 0 }), at('b', 8080, { weight: 0 }), weighted[2]!] });
    expect(await asked(4)).toEqual({ c: 4 });
    // In the kernel.
    await ensure({ layer: 'tcp', members: [at('a', 8080, { weight: 6 }), at('b', 8080, { weight: 2 })] });
    expect(await asked(40, ...closing)).toEqual({ a: 30, b: 10 });
    await ensure({ layer: 'tcp', algorithm: 'random' });
    expect(Object.keys(await asked(60, ...closing))).toEqual(['a', 'b', 'c']);
  });

  test('spreads datagrams in the kernel', async () => {
    await ensure({ layer: 'udp', members: [at('a', 8082, { weight: 2 }), at('b', 8082)] });
    const ask = `
      const seen = [];
      const once = () => new Promise((resolve) => {
        const socket = require('node:dgram').createSocket('udp4');
        socket.on('message', (text) => { seen.push(String(text)); socket.close(resolve); });
        socket.send('?', 80, '${ADDRESS}');
      });
      (async () => { for (let i = 0; i < 30; i += 1) await once(); console.log(seen.sort().join('')); })();`;
    expect((await inside([process.execPath, '-e', ask])).trim()).toBe('a'.repeat(20) + 'b'.repeat(10));
  });

  test.each([
    ['uri', (i: number) => ['/', `?u=${i}`].join(''), (_: number) => [] as string[]],
    ['header:X-User', () => '/', (i: number) => ['-H', `X-User: user-${i}`]],
    ['parameter:user', (i: number) => `/?user=${i}`, () => []],
    ['source-ip-port', () => '/', () => closing],
    ['random', () => '/', () => []],
  ] as const)('spreads by %s over all members', async (algorithm, path, more) => {
    await ensure({ layer: 'http', algorithm });
    const keys = Array.from({ length: 36 }, (_, i) => i);
    const once = async () =>
      (
        await curl(
          ...keys.flatMap((i) => [...(i === 0 ? [] : ['--next', '-sS']), ...more(i), `http://${ADDRESS}${path(i)}`]),
        )
      )
        .match(/"name":"\w"/g)!
        .join();
    const [first, second] = [await once(), await once()];
    for (const count of Object.values(counted(first))) expect(count).toBeGreaterThanOrEqual(3);
    expect(Object.keys(counted(first))).toEqual(['a', 'b', 'c']);
    // What goes by what is asked goes the same way each time.
    if (!['random', 'source-ip-port'].includes(algorithm)) expect(second).toBe(first);
    if (algorithm !== 'header:X-User') return;
    // A member that goes leaves the others their users.
    const gone = [at('a', 8080), at('b', 8080)];
    await ensure({ members: gone });
    const third = (await once()).split(',');
    first.split(',').forEach((was, i) => was.includes('"c"') || expect(third[i]).toBe(was));
  });

  test('gives flows to the member with the fewest, and each client always the same member', async () => {
    await ensure({ layer: 'http', algorithm: 'least-connections', members: [at('a', 8080), at('b', 8080)] });
    // `a` or `b` is busy with two: the next three go to the other, one after the other.
    const slow = curl(`http://${ADDRESS}/slow`);
    await systemClock.sleep(300);
    const others = await asked(3);
    const busy = Object.keys(counted(await slow))[0]!;
    expect(others).toEqual({ [busy === 'a' ? 'b' : 'a']: 3 });

    for (const layer of ['tcp', 'http'] as const) {
      await ensure({ layer, algorithm: 'source-ip' });
      expect(Object.values(await asked(9, ...closing))).toEqual([9]);
    }
  });

  test('keeps who belongs to a member there, also while that drains', async () => {
    const jar = join(folder, 'jar');
    const session = ['-b', jar, '-c', jar];
    const all = () => ['a', 'b', 'c'].map((name) => at(name, 8080));
    const drained = (name: string) => all().map((one) => ({ ...one, draining: one.address === at(name, 80).address }));

    for (const persistence of [{ kind: 'cookie' }, { kind: 'app-cookie', cookie: 'SESSION' }] as const) {
      rmSync(jar, { force: true });
      const process = await ensure({ layer: 'http', persistence, members: all() });
      const mine = Object.keys(counted(await curl(...session, `http://${ADDRESS}/login`)))[0]!;
      expect(await asked(6, ...session)).toEqual({ [mine]: 6 });
      expect(Object.keys(await asked(6))).toHaveLength(3);
      expect(await ensure({ members: drained(mine) })).toBe(process);
      expect(await asked(6, ...session)).toEqual({ [mine]: 6 });
      expect(Object.keys(await asked(6))).not.toContain(mine);
    }

    const process = await ensure({ layer: 'http', persistence: { kind: 'source-ip' }, members: all() });
    const [mine] = Object.keys(await asked(6, ...closing));
    expect(await asked(6, ...closing)).toEqual({ [mine!]: 6 });
    // Another process learns from the first whose client it is.
    expect(await ensure({ forwarded: true })).not.toBe(process);
    expect(await asked(6, ...closing)).toEqual({ [mine!]: 6 });
  });

  test('changes members while it runs, and flows go on', async () => {
    const process = await ensure({
      layer: 'tcp',
      persistence: { kind: 'source-ip', timeoutMs: 100 },
      members: [at('a', 8081)],
    });
    const flow = execFile('ip', ['netns', 'exec', client.handles['namespace']!, 'busybox', 'nc', ADDRESS, '80']);
    let heard = '';
    flow.stdout!.on('data', (text: string) => (heard += text));
    flow.stdin!.write('first\n');
    await until(
      async () => heard,
      (text) => text === 'a first\n',
    );
    expect(await ensure({ members: [at('a', 8081, { draining: true }), at('b', 8081)] })).toBe(process);
    flow.stdin!.write('second\n');
    await until(
      async () => heard,
      (text) => text.endsWith('a second\n'),
    );
    // It has a flow: only another process can forget it, and the old one stays for that.
    expect(await ensure({ members: [at('b', 8081)] })).not.toBe(process);
    flow.stdin!.write('third\n');
    await until(
      async () => heard,
      (text) => text.endsWith('a third\n'),
    );
    flow.stdin!.end();
    const now = await ensure({ members: [at('b', 8081), at('c', 8081)] });
    expect(await ensure({ members: [at('c', 8081)] })).toBe(now);
  });

  test('routes requests by what they ask for', async () => {
    const rule = (kind: 'path' | 'host' | 'header' | 'cookie' | 'file-type', value: string, more: object = {}) => ({
      kind,
      compare: 'equals' as const,
      value,
      ...more,
    });
    await ensure({
      layer: 'http',
      members: [at('a', 8080)],
      pools: [
        { name: 'b', members: [at('b', 8080)] },
        { name: 'c', members: [at('c', 8080)] },
      ],
      routes: [
        { name: 'api', rules: [rule('path', '/api/', { compare: 'starts' })], action: { kind: 'pool', pool: 'b' } },
        { name: 'odd', rules: [rule('host', 'it\'s."odd" % $HOME \\')], action: { kind: 'pool', pool: 'c' } },
        {
          name: 'canary',
          rules: [
            rule('header', '^gold', { name: 'X-Tier', compare: 'regex' }),
            rule('cookie', 'no', { name: 'canary', invert: true }),
          ],
          action: { kind: 'pool', pool: 'c' },
        },
        { name: 'image', rules: [rule('file-type', 'png')], action: { kind: 'pool', pool: 'c' } },
        { name: 'secret', rules: [rule('path', 'secret', { compare: 'contains' })], action: { kind: 'reject' } },
        {
          name: 'old',
          rules: [rule('path', '/old')],
          action: { kind: 'redirect', url: 'https://new.example/%20?a=1', code: 301 },
        },
        {
          name: 'moved',
          rules: [rule('host', 'moved.example')],
          action: { kind: 'redirect-prefix', url: 'https://there.example/x' },
        },
      ],
    });
    const to = async (path: string, ...more: readonly string[]) =>
      counted(await curl(...more, `http://${ADDRESS}${path}`));
    const head = (path: string, ...more: readonly string[]) =>
      curl('-o', '/dev/null', '-w', '%{http_code} %{redirect_url}', ...more, `http://${ADDRESS}${path}`);
    expect(await to('/')).toEqual({ a: 1 });
    expect(await to('/api/x')).toEqual({ b: 1 });
    expect(await to('/x.png')).toEqual({ c: 1 });
    expect(await to('/', '-H', 'X-Tier: golden')).toEqual({ c: 1 });
    expect(await to('/', '-H', 'X-Tier: golden', '-H', 'Cookie: canary=no')).toEqual({ a: 1 });
    expect(await to('/', '-H', 'Host: it\'s."odd" % $HOME \\')).toEqual({ c: 1 });
    expect(await head('/api/secret')).toBe('403 ');
    expect(await head('/old')).toBe('301 https://new.example/%20?a=1');
    expect(await head('/y?z=1', '-H', 'Host: moved.example')).toBe('302 https://there.example/x/y?z=1');
  });

  test('ends TLS, by the name asked for, and asks clients who they are', async () => {
    const issue = async (name: string, ...more: readonly string[]) => {
      const files = ['key', 'crt'].map((suffix) => join(folder, `${name}.${suffix}`)) as [string, string];
      const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
      const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
      await run('openssl', [
        'req',
        '-x509',
        ...curve,
        '-nodes',
        ...subject,
        '-days',
        '2',
        '-keyout',
        files[0],
        '-out',
        files[1],
        ...more,
      ]);
      return { key: files[0], crt: files[1], pem: files.map((file) => readFileSync(file, 'utf8')).join('') };
    };
    const [one, two, user] = [await issue('one.example'), await issue('two.example'), await issue('user')];
    const spec = { certificates: [one.pem, two.pem], minVersion: '1.3', alpn: ['h2', 'http/1.1'] } as const;
    await ensure({ layer: 'http', port: 443, tls: spec, forwarded: true });
    const names = ['one', 'two'].flatMap((name) => ['--resolve', `${name}.example:443:${ADDRESS}`]);
    const secure = (name: string, ...more: readonly string[]) =>
      curl(...names, '--cacert', join(folder, `${name}.example.crt`), ...more, `https://${name}.example/`);
    for (const name of ['one', 'two']) expect(await secure(name)).toContain('"scheme":"https"');
    expect(await secure('one', '-o', '/dev/null', '-w', '%{http_version}')).toBe('2');
    expect(JSON.parse(await secure('one'))).toMatchObject({ client: client.ports[0]!.address });
    await expect(secure('one', '--tls-max', '1.2')).rejects.toThrow();
    await ensure({ tls: { ...spec, clients: { authority: readFileSync(user.crt, 'utf8'), required: true } } });
    await expect(secure('one')).rejects.toThrow();
    expect(await secure('one', '--cert', user.crt, '--key', user.key)).toContain('"name"');
    const broken = ensure({ tls: { certificates: ['-----BEGIN CERTIFICATE-----\nbad\n-----END CERTIFICATE-----\n'] } });
    await expect(broken).rejects.toMatchObject({ code: 'SF-HAPROXY-CONFIG' });
    expect(await secure('one', '--cert', user.crt, '--key', user.key)).toContain('"name"');
    made = { ...made!, tls: { ...spec } };
  });

  test.each(['http', 'ping', 'tcp'] as const)('asks members by %s', async (kind) => {
    const common = { timeoutMs: 500, intervalMs: 200, rise: 1, fall: 2 };
    const health =
      kind === 'http'
        ? ({
            kind,
            port: 8080,
            path: '/health',
            method: 'GET',
            codes: '200-204',
            host: 'x.example',
            ...common,
          } as const)
        : kind === 'tcp'
          ? ({ kind, port: 8080, ...common } as const)
          : ({ kind, ...common } as const);
    await ensure({ layer: 'http', health, members: [at('a', 8080), at('b', 8080)] });
    expect(await asked(4)).toEqual({ a: 2, b: 2 });
    if (kind === 'http') {
      const tell = (path: string) => curl(`http://${at('a', 8080).address}:8080${path}`);
      await tell('/ill');
      await until(
        () => asked(4),
        (seen) => seen['b'] === 4,
      );
      await tell('/mended');
      await until(
        () => asked(4),
        (seen) => seen['a'] === 2,
      );
    } else {
      const nobody = { ...at('a', 8080), address: '10.75.1.77' };
      await ensure({ members: [nobody, at('b', 8080)] });
      await until(
        () => asked(4),
        (seen) => seen['b'] === 4,
      );
    }
  });

  test('tells members the client, lets in who may come, and refuses what it cannot do by name', async () => {
    await ensure({ layer: 'tcp', proxyProtocol: 1, members: [at('a', 8081)] });
    const [heard] = (await inside(['sh', '-c', `echo hello | timeout 2 busybox nc ${ADDRESS} 80 | head -1`])).split(
      '\n',
    );
    expect(heard).toBe(`a PROXY TCP4 ${client.ports[0]!.address} ${ADDRESS} ${heard!.split(' ')[5]} 80\r`);
    await ensure({ layer: 'http', allow: ['10.9.0.0/16'] });
    await expect(asked(1)).rejects.toThrow();
    await ensure({ allow: ['10.9.0.0/16', client.ports[0]!.address] });
    expect(Object.values(await asked(1))).toEqual([1]);
    const refused = ensure({ layer: 'udp', persistence: { kind: 'source-ip' }, members: [at('a', 8082)] });
    await expect(refused).rejects.toMatchObject({
      code: 'SF-FABRIC-BALANCER',
      message: expect.stringContaining(
        'linux has no persistence source-ip (had by: octavia amphora, kubernetes service, simulated)',
      ),
    });
  });
});
