import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client, OperationDetail, Sample, SiteDetail, Unit } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import { leftBehind, takeInventory } from '@superfluidity/driver-linux/inventory';
import type { DemoServer } from './control-plane.ts';

/** What the demo measured. Every field comes from this run; nothing is assumed. */
export interface DemoResult {
  readonly realPackets: boolean;
  readonly environmentsUsed: readonly string[];
  readonly deployMs: number;
  /** From the request to the first video byte at the user equipment. */
  readonly firstByteMs: number;
  readonly requestsBeforeMove: number;
  readonly requestsDuringMove: number;
  readonly requestsAfterMove: number;
  readonly failedRequests: number;
  readonly moveMs: number;
  /** Medians, to the first byte, over whole seconds before and after the move. */
  readonly latencyBeforeMs: number;
  readonly latencyAfterMs: number;
  readonly servedBefore: readonly string[];
  readonly servedAfter: readonly string[];
  readonly terminateMs: number;
  readonly leftBehind: readonly string[];
  readonly claims: readonly Claim[];
}

export interface Claim {
  readonly claim: string;
  readonly measured: string;
  readonly holds: boolean;
}

export interface StoryOptions {
  readonly variant: 'container' | 'vm';
  /** How long to watch the stream before and after the move. */
  readonly watchMs: number;
  readonly tell: (line: string) => void;
}

const SERVICE = 'mobile-edge';
const LINK = { a: 'edge', b: 'core', latencyMs: 12, jitterMs: 0, loss: 0, bandwidthMbps: 1_000 } as const;
const FIRST_BYTE_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

/** Deploys the example on two sites, streams from it, moves the video server under the stream, and clears everything away. */
export async function tellStory(start: () => Promise<DemoServer>, options: StoryOptions): Promise<DemoResult> {
  const { tell } = options;
  const before = await takeInventory();
  const server = await start();
  let result: Omit<DemoResult, 'leftBehind' | 'claims'>;
  let siteIds: readonly string[] = [];
  try {
    const { client } = server;
    const sites = await addSites(client, tell);
    siteIds = sites.map((site) => site.id);
    try {
      result = await deployAndMove(client, sites, options);
    } catch (error) {
      // What failed is told; what it left is not left to the user.
      for (const site of sites) await client.call('purgeSite', { params: { name: site.name } });
      throw error;
    }
    for (const site of sites) await client.call('removeSite', { params: { name: site.name } });
  } finally {
    await server.stop();
  }
  const left = leftBehind(before, await takeInventory(), siteIds);
  tell(left.length === 0 ? 'nothing is left behind' : `left behind: ${left.join(', ')}`);
  return { ...result, leftBehind: left, claims: claimsOf({ ...result, leftBehind: left }) };
}

async function addSites(client: Client, tell: StoryOptions['tell']): Promise<readonly SiteDetail[]> {
  const { siteKinds } = await client.call('getSystem');
  const real = siteKinds.find((each) => each.kind === 'linux');
  const kind = real?.usable === true ? 'linux' : 'simulated';
  if (kind === 'simulated') {
    const why = real?.missing.filter((each) => each.required).map((each) => `${each.name}: ${each.reason}`) ?? [];
    tell(`this machine cannot run real sites, so they are simulated (${why.join('; ')})`);
  }
  const base = { kind, config: {}, services: [] };
  const edge = { ...base, name: 'edge', tier: 'edge', cells: ['cell-1'], price: { core: 3, gib: 0.3 } };
  const core = { ...base, name: 'core', tier: 'core', cells: [], price: { core: 1, gib: 0.1 } };
  const sites: SiteDetail[] = [];
  for (const body of [edge, core]) sites.push(await client.call('addSite', { body }));
  await client.call('setLink', { body: LINK });
  tell(`two ${kind} sites, edge and core, ${LINK.latencyMs} ms apart`);
  return sites;
}

async function deployAndMove(client: Client, sites: readonly SiteDetail[], { variant, watchMs, tell }: StoryOptions) {
  const descriptor = fileURLToPath(
    new URL(`../../../examples/mobile-edge/${variant === 'vm' ? 'service-vm.yaml' : 'service.yaml'}`, import.meta.url),
  );
  const file = { path: 'service.yaml', base64: (await readFile(descriptor)).toString('base64') };
  const source = { files: [file], baseFolder: dirname(descriptor) };

  const asked = Date.now();
  const { operation } = await client.call('deployService', { body: { source, name: SERVICE } });
  const deployed = await completed(client, operation, tell);
  const deployMs = deployed.stateEnteredAt - asked;
  const first = await firstSample(client);
  const firstByteMs = first.t + first.latencyMs - asked;
  tell(`deployed in ${Math.round(deployMs)} ms, first video byte after ${Math.round(firstByteMs)} ms`);

  const units = (await client.call('getService', { params: { name: SERVICE } })).units;
  const watchedFrom = Date.now();
  await pause(watchMs);

  const moveAsked = Date.now();
  const moved = await completed(
    client,
    (await client.call('moveService', { params: { name: SERVICE }, body: { what: 'video', to: 'edge' } })).operation,
    tell,
  );
  const moveEnd = moved.stateEnteredAt;
  tell(`video moved from core to edge in ${moveEnd - moveAsked} ms while it was being watched`);
  const after = (await client.call('getService', { params: { name: SERVICE } })).units;
  await pause(watchMs);

  const samples = await client.call('getSamples', { params: { name: SERVICE }, query: { limit: 50_000 } });
  const within = (from: number, to: number) => samples.filter((sample) => sample.t >= from && sample.t < to);
  const [calmBefore, during, calmAfter] = [
    within(watchedFrom, moveAsked),
    within(moveAsked, moveEnd),
    within(moveEnd, Infinity),
  ];

  const terminateAsked = Date.now();
  const ended = await completed(
    client,
    (await client.call('terminateService', { params: { name: SERVICE } })).operation,
    tell,
  );
  return {
    realPackets: sites.every((site) => site.realPackets),
    environmentsUsed: [...new Set([...units, ...after].map((unit: Unit) => unit.environment))].sort(),
    deployMs,
    firstByteMs,
    requestsBeforeMove: within(0, moveAsked).length,
    requestsDuringMove: during.length,
    requestsAfterMove: calmAfter.length,
    failedRequests: samples.filter((sample) => !sample.ok).length,
    moveMs: moveEnd - moveAsked,
    latencyBeforeMs: medianLatency(calmBefore),
    latencyAfterMs: medianLatency(calmAfter),
    servedBefore: answeredBy(calmBefore),
    servedAfter: answeredBy(calmAfter),
    terminateMs: ended.stateEnteredAt - terminateAsked,
  };
}

/** Follows the operation to its end and tells each step as it is done. */
async function completed(client: Client, id: string, tell: StoryOptions['tell']): Promise<OperationDetail> {
  const told = new Set<string>();
  for (;;) {
    const operation = await client.call('getOperation', { params: { id } });
    for (const step of operation.steps) {
      if (step.state !== 'done' || told.has(step.id)) continue;
      told.add(step.id);
      const took =
        step.startedAt === undefined || step.endedAt === undefined ? '' : ` (${step.endedAt - step.startedAt} ms)`;
      tell(`  ${step.title}${took}`);
    }
    if (operation.state === 'COMPLETED') return operation;
    if (['FAILED_TEMP', 'FAILED', 'ROLLED_BACK'].includes(operation.state)) {
      throw new SuperfluidityError('SF-DEMO-OPERATION', {
        doing: `${operation.kind.toLowerCase()} ${SERVICE}`,
        reason: `${operation.state}: ${operation.error?.message ?? 'no reason given'}`,
        data: { operation: id, error: operation.error },
      });
    }
    await pause(POLL_MS);
  }
}

async function firstSample(client: Client): Promise<Sample> {
  const deadline = Date.now() + FIRST_BYTE_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const samples = await client.call('getSamples', { params: { name: SERVICE } });
    const first = samples.find((sample) => sample.ok);
    if (first !== undefined) return first;
    await pause(POLL_MS);
  }
  throw new SuperfluidityError('SF-DEMO-SILENT', {
    doing: 'wait for the first video byte',
    reason: `none within ${FIRST_BYTE_TIMEOUT_MS / 1_000} s`,
  });
}

function claimsOf(result: Omit<DemoResult, 'claims'>): readonly Claim[] {
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const claim = (text: string, measured: string, holds: boolean): Claim => ({ claim: text, measured, holds });
  const kept = result.requestsBeforeMove > 0 && result.requestsDuringMove > 0 && result.requestsAfterMove > 0;
  return [
    ...(result.realPackets ? [claim('packets are real', 'network namespaces of this machine', true)] : []),
    claim(
      'one service of several environments',
      result.environmentsUsed.join(', '),
      result.environmentsUsed.length >= 2,
    ),
    claim('deployed over two sites', ms(result.deployMs), result.deployMs > 0),
    claim('first video byte', ms(result.firstByteMs), result.firstByteMs > 0),
    claim(
      'streamed before, during and after the move',
      `${result.requestsBeforeMove} / ${result.requestsDuringMove} / ${result.requestsAfterMove} requests`,
      kept,
    ),
    claim('no request failed', `${result.failedRequests} failed`, result.failedRequests === 0),
    claim(
      'another instance answers after the move',
      `${result.servedBefore.join()} then ${result.servedAfter.join()}`,
      result.servedBefore.length > 0 &&
        result.servedAfter.length > 0 &&
        !result.servedAfter.some((each) => result.servedBefore.includes(each)),
    ),
    claim(
      'latency is lower after the move',
      `${ms(result.latencyBeforeMs)} then ${ms(result.latencyAfterMs)}`,
      result.latencyAfterMs < result.latencyBeforeMs,
    ),
    claim(
      'nothing is left behind',
      result.leftBehind.length === 0 ? 'nothing' : result.leftBehind.join(', '),
      result.leftBehind.length === 0,
    ),
  ];
}

function medianLatency(samples: readonly Sample[]): number {
  const sorted = samples
    .filter((sample) => sample.ok)
    .map((sample) => sample.latencyMs)
    .sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function answeredBy(samples: readonly Sample[]): readonly string[] {
  return [...new Set(samples.flatMap((sample) => sample.from ?? []))].sort();
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
