import { execFile } from 'node:child_process';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { Client, OperationDetail } from '@superfluidity/api';
import { shortName } from '@superfluidity/core';
import { type BenchServer, completed, deploy, pause, terminate } from '../server.ts';
import { type Timing, timing } from '../statistics.ts';
import { type Kind, kindNames, serviceName, serviceOf } from './services.ts';

/**
 * Where there is no KVM a machine takes seconds to boot, and two boot at a time: so many are made ready before that the
 * processor is at rest while they are used up: 100 in three rounds. Paused, each keeps some 100 MiB.
 */
const POOL_SIZE = { nft: 8, container: 8, vm: 34 } as const;
const FULL_TIMEOUT_MS = 300_000;
/** Background work ends before the next request: what is measured is one request on a machine that is at rest. */
const REST_MS = 30;
const SITE = 'bench';
const PINGS = 10;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

export async function addLinuxSite(client: Client): Promise<void> {
  const config = { hosts: [{ name: 'h1', cpu: 64, memoryMiB: 131_072 }] };
  await client.call('addSite', { body: { name: SITE, kind: 'linux', config, cells: [], services: [] } });
}

export interface UnitRuns {
  readonly kind: Kind;
  readonly pooled: boolean;
  readonly count: number;
}

/**
 * From the moment at which the whole request is with the kernel of the server's machine, to the end of the step that creates the unit, as the operation tells:
 * the unit runs, has answered a ping of its host, and is written down. Both are read with a resolution of 1 ms.
 */
export async function measureUnits(server: BenchServer, { kind, pooled, count }: UnitRuns): Promise<readonly Timing[]> {
  const { client } = server;
  const name = serviceName(kind);
  const size = pooled ? Math.min(POOL_SIZE[kind], count) : 0;
  const round = kind === 'vm' ? size : 1;
  await deploy(client, serviceOf(kind, size));
  const times: number[] = [];
  const control: number[] = [];
  for (let i = 0; i < count; i += 1) {
    if (pooled && i % round === 0) await poolIsFull(client);
    await pause(REST_MS);
    const { asked, operation } = await askToScale(server, name, 2);
    const up = await completed(client, operation);
    const step = up.steps.find(({ verb }) => verb === 'create-units')!;
    times.push(step.endedAt! - asked);
    control.push(step.startedAt! - asked);
    if (i < PINGS) await crossCheck(client, name, pooled);
    await scaled(client, name, 1);
  }
  await terminate(client, name);
  const what = `${kindNames[kind]}, ${pooled ? 'from the pool' : 'without pool'}`;
  return [timing(what, times), timing(`${what}: of that until the site was asked`, control)];
}

/** A plain request over a connection that stays open, so that what it costs its sender is not measured. */
function askToScale(server: BenchServer, name: string, count: number) {
  const body = JSON.stringify({ unit: 'unit', count });
  return new Promise<{ readonly asked: number; readonly operation: string }>((resolve, reject) => {
    let asked = 0;
    const sent = request(
      new URL(`/api/v1/services/${name}/scale`, server.url),
      {
        method: 'POST',
        agent,
        headers: {
          authorization: `Bearer ${server.token}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (answer) => {
        text(answer).then((json) => {
          const { operation } = JSON.parse(json) as { operation?: string };
          if (operation === undefined) reject(new Error(json));
          else resolve({ asked, operation });
        }, reject);
      },
    );
    sent.once('error', reject);
    sent.end(body, () => {
      asked = Date.now();
    });
  });
}

async function scaled(client: Client, name: string, count: number): Promise<OperationDetail> {
  const { operation } = await client.call('scaleService', { params: { name }, body: { unit: 'unit', count } });
  return completed(client, operation);
}

async function poolIsFull(client: Client): Promise<void> {
  for (const deadline = performance.now() + FULL_TIMEOUT_MS; performance.now() < deadline; await pause(50)) {
    const { pools } = await client.call('getSite', { params: { name: SITE } });
    if (pools.length > 0 && pools.every(({ ready, wanted }) => ready >= wanted)) return;
  }
  throw new Error('the pool does not fill');
}

/** The new unit came from where it should, and answers a ping that is not the control plane's own. */
async function crossCheck(client: Client, name: string, pooled: boolean): Promise<void> {
  const { units } = await client.call('getService', { params: { name } });
  const unit = units.toSorted((a, b) => b.index - a.index)[0]!;
  if (unit.pooled !== pooled) throw new Error(`${unit.id} came ${unit.pooled ? '' : 'not '}from the pool`);
  const { id } = await client.call('getSite', { params: { name: SITE } });
  const namespace = `sf-${shortName('', id)}-h-${unit.host}`;
  await promisify(execFile)('ip', ['netns', 'exec', namespace, 'ping', '-c', '1', '-W', '1', unit.ports[0]!.address]);
}

/** One request for so many units; all are ready when the last step that creates some has ended. */
export async function measureBurst(
  { client }: BenchServer,
  kind: Kind,
  size: number,
  pooled: boolean,
): Promise<Timing> {
  const name = serviceName(kind);
  await deploy(client, serviceOf(kind, pooled ? size : 0));
  if (pooled) await poolIsFull(client);
  const asked = Date.now();
  const up = await scaled(client, name, size + 1);
  const ends = up.steps.filter(({ verb }) => verb === 'create-units').map(({ endedAt }) => endedAt!);
  await terminate(client, name);
  const what = `${size} ${kindNames[kind]}s asked for at once, ${pooled ? 'from the pool' : 'without pool'}`;
  return timing(what, [Math.max(...ends) - asked]);
}
