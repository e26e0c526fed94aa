import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Context } from '../context.ts';
import { diff } from './diff.ts';
import { policy } from './policy.ts';
import type { VerifyOptions } from './question.ts';
import { rules } from './rules.ts';
import { explain, verify } from './verify.ts';

/** Nothing of it is wrong: who looks at all of it finds that, and who is stopped before must not say so. */
const files = {
  'edge.rt': Array.from({ length: 12 }, (_, i) => `10.${i}.0.0/16 192.0.2.1 eth${i}`).join('\n'),
  'core.rt': '10.0.0.0/8 192.0.2.1 eth0\n',
  'links.links': 'edge:eth0 -> core:x\n',
  'fw.rules': [
    '*filter',
    ':FORWARD DROP [0:0]',
    '-A FORWARD -s 10.0.0.0/8 -p tcp -m tcp --dport 80:90 -j ACCEPT',
    '-A FORWARD -d 10.9.0.0/16 -p udp -m udp --sport 7:1000 -j ACCEPT',
    'COMMIT\n',
  ].join('\n'),
  'fw.routes': '10.0.0.0/8 dev eth1\n',
};
let folder = '';
let net = '';
let policies = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'superfluidity-bounds-'));
  net = await mkdtemp(join(folder, 'net-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(net, name), text);
  policies = join(folder, 'net.policies');
  await writeFile(policies, 'policy kept: from edge:in check AG kept IPv4.dst\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => {
  process.exitCode = undefined;
});

interface Said {
  readonly code: typeof process.exitCode;
  readonly text: string;
}

async function said(work: (context: Context) => Promise<void>): Promise<Said> {
  const lines: string[] = [];
  const context = {
    show: async (_value: unknown, text: () => string) => void lines.push(text()),
    say: (line: string) => void lines.push(line),
    note: () => undefined,
  } as unknown as Context;
  await work(context);
  return { code: process.exitCode, text: lines.join('\n') };
}

type Asked = (options: VerifyOptions) => (context: Context) => Promise<void>;

/** From the ports of the routers and the firewall alike. */
const verbs: Readonly<Record<string, Asked>> = {
  reach: (options) => (context) => verify(context, 'reach', net, { ...options, to: 'edge:eth11', from: ['edge:in'] }),
  isolation: (options) => (context) => verify(context, 'isolation', net, { ...options, to: 'fw', from: ['edge:in'] }),
  loops: (options) => (context) => verify(context, 'loops', net, options),
  blackholes: (options) => (context) => verify(context, 'blackholes', net, options),
  invariants: (options) => (context) => verify(context, 'invariants', net, options),
  multipath: (options) => (context) => verify(context, 'multipath', net, options),
  policy: (options) => (context) => policy(context, net, policies, options),
  diff: (options) => (context) => diff(context, net, net, { ...options, from: ['edge:in'] }),
};
const ample: VerifyOptions = { from: [], layout: 'ipv4/tcp', timeLimit: 60 };

describe('a bound that is hit is no answer', () => {
  it.each(Object.entries(verbs))('%s', async (_verb, ask) => {
    expect(await said(ask(ample))).toMatchObject({ code: 0 });
    expect(await said(ask({ ...ample, maxPaths: 1 }))).toMatchObject({
      code: 3,
      text: expect.stringContaining('bound hit: paths'),
    });
    expect(await said(ask({ ...ample, timeLimit: 1e-9 }))).toMatchObject({
      code: 3,
      text: expect.stringContaining('bound hit: milliseconds'),
    });
  });

  it('memory, of the rules of a packet filter', async () => {
    const from = ['fw:eth1:in'];
    for (const question of ['loops', 'blackholes', 'invariants']) {
      const ask = (options: VerifyOptions) => said((context) => verify(context, question, net, { ...options, from }));
      expect(await ask(ample)).toMatchObject({ code: 0 });
      expect(await ask({ ...ample, maxNodes: 40 })).toMatchObject({
        code: 3,
        text: expect.stringContaining('bound hit: diagramNodes'),
      });
    }
  });

  it('explain', async () => {
    const options = { ...ample, from: ['edge:in'] };
    expect((await said((context) => explain(context, net, options))).code).toBeUndefined();
    expect(await said((context) => explain(context, net, { ...options, timeLimit: 1e-9 }))).toMatchObject({
      code: 3,
      text: expect.stringContaining('bound hit: milliseconds'),
    });
  });

  it('rules', async () => {
    expect(await said((context) => rules(context, net, { timeLimit: 60 }))).toMatchObject({ code: 0 });
    for (const [bound, options] of [
      ['diagramNodes', { timeLimit: 60, maxNodes: 10 }],
      ['milliseconds', { timeLimit: 1e-9 }],
    ] as const) {
      expect(await said((context) => rules(context, net, options))).toMatchObject({
        code: 3,
        text: expect.stringContaining(`the bound ${bound} was hit`),
      });
    }
  });
});
