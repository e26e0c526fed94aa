import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from '../testing/run-command.ts';

const pod = (namespace: string, name: string, node: string, podIP: string, app: string) => ({
  kind: 'Pod',
  metadata: { name, namespace, labels: { app } },
  spec: {
    nodeName: node,
    containers: [{ name: 'main', ports: [{ name: 'sql', containerPort: 5_432, protocol: 'TCP' }] }],
  },
  status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }] },
});
const node = (name: string, address: string) => ({
  kind: 'Node',
  metadata: { name },
  status: { addresses: [{ type: 'InternalIP', address }] },
});
const objects = {
  kind: 'List',
  apiVersion: 'v1',
  items: [
    pod('shop', 'web', 'n1', '10.0.1.5', 'web'),
    pod('shop', 'db', 'n2', '10.0.2.7', 'db'),
    pod('shop', 'job', 'n1', '10.0.1.6', 'job'),
    { kind: 'Namespace', metadata: { name: 'shop' } },
    node('n1', '192.0.2.1'),
    node('n2', '192.0.2.2'),
    {
      kind: 'NetworkPolicy',
      metadata: { name: 'db', namespace: 'shop' },
      spec: {
        podSelector: { matchLabels: { app: 'db' } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port: 'sql' }] }],
      },
    },
  ],
};
const filter = (peers: string) => `table ip filter {
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    ip daddr 10.0.2.7 jump db
  }
  chain db {
    ip saddr ${peers} tcp dport 5432 accept
    ip saddr != 10.0.2.7 drop
  }
}
`;

const kuryr = (namespaces: object) => ({
  kind: 'ConfigMap',
  metadata: {
    name: 'superfluidity-kuryr',
    namespace: 'kube-system',
    labels: { 'app.kubernetes.io/part-of': 'superfluidity-kuryr' },
  },
  data: { 'kuryr.json': JSON.stringify({ namespaces, drivers: { vif: 'linux' } }) },
});

/** Lists of an API server; `look` alters what it has before each list of pods, of which it is told the number. */
async function apiServer(items: readonly { readonly kind: string }[], look: (at: number) => readonly object[]) {
  const plurals: Readonly<Record<string, string>> = {
    namespaces: 'Namespace',
    nodes: 'Node',
    networkpolicies: 'NetworkPolicy',
  };
  let asked = 0;
  const server = createServer(({ url }, response) => {
    const plural = new URL(url!, 'http://localhost').pathname.split('/').at(-1)!;
    const found = plural === 'pods' && !url!.includes('/namespaces/') ? look((asked += 1)) : undefined;
    const listed = found ?? items.filter(({ kind }) => kind === plurals[plural]);
    const isThere = plural in plurals || plural === 'pods';
    response.writeHead(isThere ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: listed }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const kubeconfig = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
  return {
    kubeconfig,
    rounds: () => asked,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

describe('superfluidity verify policies', () => {
  let folder = '';
  const put = async (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  };
  const verify = (...args: string[]) => runCommand(['verify', 'policies', folder, ...args]);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'superfluidity-policies-'));
    await put({ 'cluster.json': JSON.stringify(objects), 'n1.nft': '' });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('says with its exit code whether rules are what policies mean, and shows a packet of which they are not', async () => {
    await put({ 'n2.nft': filter('10.0.1.5') });
    const right = await verify();
    expect([right.code, right.out]).toEqual([0, expect.stringContaining('policies: holds')]);
    expect(right.out).toContain('3 pods in 2 classes, rules of 2 nodes');
    await put({ 'n2.nft': filter('10.0.1.4/31') });
    const wider = await verify();
    expect(wider.code).toBe(1);
    expect(wider.out).toContain('10.0.1.4 -> shop/db (10.0.2.7), TCP port 5432: passes, and was not meant to');
    expect(wider.out).toContain('meant: ingress of shop/db: no rule of shop/db allows it');
    expect(wider.out).toContain('installed: n2.nft:8  ip saddr 10.0.1.4/31 tcp dport 5432 accept');
    await put({ 'n2.nft': filter('10.0.1.6') });
    const other = await verify('--output', 'json');
    const { questions } = JSON.parse(other.out) as {
      readonly questions: readonly { readonly question: string; readonly differences: readonly object[] }[];
    };
    expect(questions[0]).toMatchObject({
      answer: 'violated',
      differences: [
        { from: { pod: 'shop/job' }, to: { pod: 'shop/db' }, protocol: 'TCP', port: 5_432, installed: 'passes' },
        { from: { pod: 'shop/web' }, to: { pod: 'shop/db' }, port: 5_432, installed: 'is stopped' },
      ],
    });
    expect((await verify('--sarif')).out).toContain('"ruleId": "policies"');
  }, 60_000);

  test('a node that drops what belongs to connections, or its own packets to its pods, is found', async () => {
    const stateless = filter('10.0.1.5').replace('    ct state established,related accept\n', '');
    await put({ 'n2.nft': stateless });
    expect((await verify()).out).toMatch(/policies: holds[^]*policies\/answers: VIOLATED/);
    await put({
      'n2.nft': `${filter('10.0.1.5')}table ip own { chain out { type filter hook output priority 0; policy drop; }; }\n`,
    });
    const own = await verify();
    expect(own.out).toMatch(/policies: holds[^]*policies\/nodes: VIOLATED[^]*192\.0\.2\.2 -> shop\/db/);
    expect((await verify('--no-nodes')).code).toBe(0);
  }, 60_000);

  test('asks again while objects change, and says what kept changing', async () => {
    const rules = { 'n1.nft': '', 'n2.nft': filter('10.0.1.5') };
    const other = await mkdtemp(join(tmpdir(), 'superfluidity-policies-live-'));
    for (const [name, text] of Object.entries(rules)) await writeFile(join(other, name), text);
    const pods = objects.items.filter(({ kind }) => kind === 'Pod') as unknown as readonly ReturnType<typeof pod>[];
    const relabelled = (at: number) =>
      pods.map((one) => ({ ...one, metadata: { ...one.metadata, labels: { ...one.metadata.labels, at: `${at}` } } }));
    const asked = async (look: (at: number) => readonly object[]) => {
      const server = await apiServer(objects.items, look);
      const config = join(other, '.kubeconfig');
      await writeFile(config, server.kubeconfig);
      const said = await runCommand(['verify', 'policies', other, '--kubeconfig', config]);
      await server.close();
      return { ...said, rounds: server.rounds() };
    };
    try {
      expect(await asked(() => pods)).toMatchObject({ code: 0, rounds: 2 });
      // It changed while it was first read, and not since.
      expect(await asked((at) => relabelled(Math.min(at, 2)))).toMatchObject({ code: 0, rounds: 4 });
      const moving = await asked(relabelled);
      expect(moving).toMatchObject({ code: 3, rounds: 6 });
      expect(moving.out).toMatch(
        /The cluster changed while it was read[^]*Pod shop\/db, changed while rules were read/,
      );
      // Nothing is called a violation that may be none.
      await writeFile(join(other, 'n2.nft'), filter('10.0.1.6'));
      const open = await asked(relabelled);
      expect([open.code, open.out]).toEqual([3, expect.stringContaining('shop/job (10.0.1.6) -> shop/db')]);
      const alone = await runCommand(['verify', 'policies', other, '--cloud', 'north']);
      expect([alone.code, alone.err]).toEqual([2, expect.stringContaining('give --site or --kubeconfig')]);
    } finally {
      await rm(other, { recursive: true });
    }
  }, 60_000);

  test('pods of namespaces that Kuryr does not serve are peers, and nothing is asked of them', async () => {
    const items = [
      ...objects.items,
      pod('else', 'web', 'n3', '10.0.3.3', 'web'),
      { kind: 'Namespace', metadata: { name: 'else', labels: { team: 'x' } } },
      {
        kind: 'NetworkPolicy',
        metadata: { name: 'closed', namespace: 'else' },
        spec: { podSelector: {}, ingress: [] },
      },
      {
        kind: 'NetworkPolicy',
        metadata: { name: 'peers', namespace: 'shop' },
        spec: {
          podSelector: { matchLabels: { app: 'db' } },
          ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'x' } } }] }],
        },
      },
    ];
    const rules = filter('10.0.1.5').replace(
      '    ip saddr != 10.0.2.7 drop',
      '    ip saddr != { 10.0.2.7, 10.0.3.3 } drop',
    );
    await put({ 'n2.nft': rules, 'cluster.json': JSON.stringify({ ...objects, items }) });
    expect((await verify()).out).toContain('else/web: nothing is known of node n3');
    const served = (labels: object) => JSON.stringify({ ...objects, items: [...items, kuryr(labels)] });
    await put({ 'cluster.json': served({ 'kubernetes.io/metadata.name': 'shop' }) });
    const whole = await verify();
    expect([whole.code, whole.out]).toEqual([0, expect.stringContaining('3 pods in 2 classes')]);
    await put({ 'cluster.json': served({}) });
    expect((await verify()).code).toBe(3);
    await put({ 'cluster.json': JSON.stringify(objects) });
  }, 60_000);

  test('a pod has the address of its KuryrPort until its kubelet tells it, if the port is its own', async () => {
    const [web, ...others] = objects.items;
    const bare = { ...web, metadata: { ...web!.metadata, uid: 'uid-1' }, status: { phase: 'Pending' } };
    const port = (podUid: string) => ({
      kind: 'KuryrPort',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { podUid, node: 'n1' },
      status: {
        interfaces: {
          eth0: { id: 'p', addresses: ['10.0.1.5/24'], isDefault: true, plugging: { kind: 'bridge', bridge: 'b' } },
        },
      },
    });
    const asked = async (...more: readonly object[]) => {
      await put({
        'n2.nft': filter('10.0.1.5'),
        'cluster.json': JSON.stringify({ ...objects, items: [bare, ...others, ...more] }),
      });
      return verify();
    };
    const known = await asked(port('uid-1'));
    expect([known.code, known.out]).toEqual([0, expect.stringContaining('3 pods in 2 classes')]);
    for (const stranger of [await asked(), await asked(port('uid-0'))])
      expect([stranger.code, stranger.out]).toEqual([1, expect.stringContaining('10.0.1.5 -> shop/db')]);
    await put({ 'cluster.json': JSON.stringify(objects) });
  }, 60_000);

  test('what is not known is unknown, and what is no object is refused', async () => {
    await put({ 'n2.nft': filter('10.0.1.5').replace('ip daddr 10.0.2.7', 'iifname "eth0" ip daddr 10.0.2.7') });
    const doubt = await verify();
    expect([doubt.code, doubt.out]).toEqual([3, expect.stringContaining('interface eth0')]);
    await rm(join(folder, 'n2.nft'));
    const gone = await verify();
    expect([gone.code, gone.out]).toEqual([3, expect.stringContaining('nothing is known of node n2')]);
    const bad = structuredClone(objects);
    Object.assign(bad.items.at(-1)!, { spec: { podSelector: { matchExpressions: [{ key: 'a', operator: 'Like' }] } } });
    await put({ 'cluster.json': JSON.stringify(bad) });
    const refused = await verify();
    expect([refused.code, refused.err]).toEqual([
      2,
      expect.stringContaining('a NetworkPolicy db is not as the API has it'),
    ]);
  }, 60_000);
});
