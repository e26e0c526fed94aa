import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { type ClusterState, type InputFile, provePolicies } from '@superfluidity/verify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyNft } from './nft.ts';
import { runOnNode } from './run.ts';
import { Fleet, type TestPod } from './testing/fleet.ts';
import { ask, TestServer } from './testing/programs.ts';
import { resolvedPolicies } from './testing/resolved.ts';

const absent = missingForKernelTests(['ip', 'nft', 'ping', 'python3', 'cc']);
const TABLE = 'superfluidity_policies';

describe.skipIf(absent !== undefined)(titled('what the kernel of each node has of policies', absent), () => {
  let fleet: Fleet;
  let [web, db, job]: TestPod[] = [];
  let server: TestServer;
  const cluster = (): ClusterState => ({
    pods: [web!, db!, job!].map(({ name, address }) => ({
      namespace: 'default',
      name,
      labels: { app: name },
      node: name === 'db' ? 'n1' : 'n0',
      addresses: [address],
      hostNetwork: false,
      isOver: false,
      ports: [{ name: 'sql', protocol: 'TCP', number: 8_080 }],
    })),
    namespaces: new Map([['default', { team: 'shop' }]]),
    policies: [
      {
        namespace: 'default',
        name: 'db',
        podSelector: { matchLabels: { app: 'db' } },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          { peers: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port: 'sql' }] },
          {
            peers: [{ ipBlock: { cidr: '203.0.113.0/24', except: ['203.0.113.128/25'] } }],
            ports: [{ protocol: 'UDP', port: 53, endPort: 60 }],
          },
        ],
      },
      {
        namespace: 'default',
        name: 'out',
        podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['job'] }] },
        policyTypes: ['Egress'],
        egress: [{ peers: [{ namespaceSelector: { matchLabels: { team: 'shop' } } }] }],
      },
    ],
    nodes: fleet.nodes.map((_, at) => ({ name: `n${at}`, addresses: [`192.0.2.${at + 1}`, `10.90.${at}.1`] })),
  });
  const read = (...options: readonly string[]): Promise<readonly InputFile[]> =>
    Promise.all(
      fleet.nodes.map(async ({ name }, at) => ({
        path: `n${at}.nft`,
        text: (await runOnNode(name, ['nft', ...options, 'list', 'table', 'ip', TABLE])).stdout,
      })),
    );
  const proven = async (...options: readonly string[]) => provePolicies(cluster(), await read(...options));
  const answers = async (...options: readonly string[]) =>
    (await proven(...options)).verdicts.map(({ answer }) => answer);
  const reaches = async (from: TestPod) =>
    !/Error|timed|timeout/.test((await ask(from.netns, 'tcp', db!.address, 8_080))[0]!);

  beforeAll(async () => {
    fleet = await Fleet.open();
    web = await fleet.pod('web', 0, 21);
    db = await fleet.pod('db', 1, 22);
    job = await fleet.pod('job', 0, 23);
    server = await TestServer.start(db.netns, 'tcp', 'db', 8_080);
    await fleet.put([], [...resolvedPolicies(cluster()).values()]);
  });
  afterAll(async () => {
    await server?.stop();
    await fleet?.[Symbol.asyncDispose]();
  });

  test('is proven to be what they mean, as text and as JSON, and packets agree', async () => {
    expect(await answers()).toEqual(['holds', 'holds', 'holds']);
    expect(await answers('-j')).toEqual(['holds', 'holds', 'holds']);
    expect([await reaches(web!), await reaches(job!)]).toEqual([true, false]);
  });

  test('is found to be something else once somebody has changed it, with the packet that gets through', async () => {
    const node = fleet.nodes[1]!.name;
    await applyNft(node, `insert rule ip ${TABLE} ingress ip saddr ${job!.address} tcp dport 8080 accept\n`);
    expect(await reaches(job!)).toBe(true);
    const [opened] = (await proven()).verdicts;
    expect(opened).toMatchObject({
      answer: 'violated',
      differences: [
        {
          from: 'default/job',
          to: 'default/db',
          installed: 'passes',
          connection: { port: 8_080n, protocol: 6n },
          meant: [
            'egress of default/job: allowed by policy default/out, egress rule 1',
            expect.stringMatching(/^ingress of default\/db: no rule/),
          ],
        },
      ],
    });
    expect(opened!.rules.some(({ file, text = '' }) => file === 'n1.nft' && text.includes(job!.address))).toBe(true);
    await applyNft(node, `delete element ip ${TABLE} receivers { ${db!.address} }\n`);
    const more = (await proven()).verdicts[0]!;
    expect(more.differences.map(({ from }) => from)).toEqual(
      expect.arrayContaining(['default/job', 'default/web', undefined]),
    );
  });

  test('is right again when the daemon has carried out the next change', async () => {
    for (const { name } of fleet.nodes) await applyNft(name, `delete table ip ${TABLE}\n`);
    expect(await answers()).toEqual(['violated', 'holds', 'holds']);
    const { policies, ...rest } = cluster();
    // Both of them: a daemon with nothing to change looks again after minutes.
    const changed = policies.map((policy) =>
      policy.name === 'out' ? { ...policy, egress: [] } : { ...policy, ingress: policy.ingress!.slice(0, 1) },
    );
    await fleet.put([], [...resolvedPolicies({ ...rest, policies: changed }).values()]);
    const files = await read();
    expect(provePolicies({ ...rest, policies: changed }, files).verdicts.map(({ answer }) => answer)).toEqual([
      'holds',
      'holds',
      'holds',
    ]);
    // What the policies were before is something else.
    const before = provePolicies(cluster(), files).verdicts[0]!;
    expect(before.differences.map(({ from, to, installed }) => [from, to, installed])).toEqual(
      expect.arrayContaining([
        ['default/job', 'default/web', 'is stopped'],
        [undefined, 'default/db', 'is stopped'],
      ]),
    );
  });
});
