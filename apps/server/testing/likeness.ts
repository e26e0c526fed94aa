import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { VerificationReport } from '@superfluidity/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exampleFolder, type LinuxWorld, linuxSites, whyNoLinuxSites, whyNoVirtualMachines } from './linux-world.ts';
import { completed, sourceOf } from './operations.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

/** What the sites have, held against what was meant: as it was deployed, and after somebody changed it by hand. */
type Difference = NonNullable<VerificationReport['likeness']>['differences'][number];

const run = promisify(execFile);
/** A machine boots in seconds where others leave it a processor. */
const DEPLOYED_MS = 120_000;
const variants = {
  container: { name: 'mobile-edge', file: 'service.yaml', whyNot: whyNoLinuxSites },
  vm: { name: 'mobile-edge-vm', file: 'service-vm.yaml', whyNot: whyNoVirtualMachines },
} as const;

/** The example with its video server as a container, or as a virtual machine. */
export async function likenessSuite(video: keyof typeof variants): Promise<void> {
  const { name, file, whyNot } = variants[video];
  const why = await whyNot();
  const title = `${name} on linux sites${why === undefined ? '' : `, skipped: ${why}`}`;
  describe.skipIf(why !== undefined)(title, { timeout: 150_000 }, () => {
    let folder: string;
    let running: ServerProcess;
    let world: LinuxWorld;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sf-likeness-'));
      running = await startServerProcess({ state: join(folder, 'state') });
      world = await linuxSites(running.client);
    }, 60_000);

    afterAll(async () => {
      await running?.stop();
      await world?.purge();
      await rm(folder, { recursive: true, force: true });
    }, 60_000);

    const asked = () => running.client.call('verifyService', { params: { name }, query: { realised: 'true' } });
    const inNamespace = async (space: string, ...argv: string[]) =>
      (await run('ip', ['netns', 'exec', space, ...argv])).stdout;

    test('as it was meant to be, to the last packet', async () => {
      const text = await readFile(join(exampleFolder, file), 'utf8');
      const { operation } = await running.client.call('deployService', {
        body: { source: sourceOf(text, exampleFolder) },
      });
      const { realised } = await completed(running.client, operation, DEPLOYED_MS);
      expect(realised?.policies.map(({ policy, answer, because }) => ({ policy, answer, because }))).toEqual(
        realised?.policies.map(({ policy }) => expect.objectContaining({ policy, answer: 'holds' })),
      );
      expect(realised).toMatchObject({ plane: 'realised', answer: 'holds' });
      expect(realised!.likeness).toMatchObject({ answer: 'holds', differences: [], dependsOn: [], leftOut: [] });
      // Nobody looks into a machine.
      expect(realised!.assumptions).toEqual(
        video === 'vm' ? [expect.stringContaining('takes what is for its addresses and forwards nothing')] : [],
      );
    });

    test('and a rule that drops what was meant to pass is found, though no policy speaks of it', async () => {
      const { host, address } = await placeOf('radio/bbu');
      const chain = ['chain', 'ip', 'superfluidity', 'forward'];
      const insert = ['insert', 'rule', ...chain.slice(1), 'ip', 'daddr', address, 'udp', 'dport', '5353', 'drop'];
      const report = await changed(
        () => inNamespace(host, 'nft', ...insert),
        async () => {
          const listed = await inNamespace(host, 'nft', '-a', 'list', ...chain);
          const [, handle] = /dport 5353 drop # handle (\d+)/.exec(listed)!;
          await inNamespace(host, 'nft', 'delete', 'rule', ...chain.slice(1), 'handle', handle!);
        },
      );
      expect(report.answer).toBe('holds');
      const first = differenceOf(report);
      expect(first.because).toBe(
        'A packet of radio/rrh#0 arrives nowhere, and was meant to be one that arrives at radio/bbu#0 and its answer comes back.',
      );
      // Both ways are there, to the unit and to the rule, of a packet that the rule is about.
      expect(first.meant.map(({ port, outcome }) => `${port} ${outcome}`)).toEqual([
        'radio/bbu#0:local:out delivered',
        'radio/rrh#0:local:out delivered',
      ]);
      expect(first.there).toMatchObject([{ outcome: 'dropped' }]);
      expect(first.there[0]!.packet!.sent).toMatchObject({ 'UDP.dport': '5353', 'IPv4.dst': number(address) });
      expect(rulesOf(first.there)).toContainEqual(
        expect.objectContaining({ file: `${host}.nft`, text: expect.stringContaining('udp dport 5353 drop') }),
      );
    });

    test('and a route that leads to somebody else is found', async () => {
      const [{ host, address, route }, rrh] = [await placeOf('radio/bbu'), await placeOf('radio/rrh')];
      const report = await changed(
        () => inNamespace(host, 'ip', 'route', 'replace', `${address}/32`, ...rrh.route.slice(1)),
        () => inNamespace(host, 'ip', 'route', 'replace', ...route),
      );
      const first = differenceOf(report);
      expect(first.meant.some(({ port }) => port === 'radio/bbu#0:local:out')).toBe(true);
      expect(rulesOf(first.there)).toContainEqual(
        expect.objectContaining({ file: `${host}.routes`, text: expect.stringContaining(address) }),
      );
    });

    test('and so is a neighbour that is somebody else: frames for another do not arrive', async () => {
      const { host, route } = await placeOf('video/video');
      const [via, device] = ['via', 'dev'].map((word) => route[route.indexOf(word) + 1]!) as [string, string];
      const neighbours = await inNamespace(host, 'ip', 'neigh', 'show', via, 'dev', device);
      const [, mac] = /lladdr (\S+)/.exec(neighbours)!;
      const set = (to: string) =>
        inNamespace(host, 'ip', 'neigh', 'replace', via, 'lladdr', to, 'dev', device, 'nud', 'permanent');
      const report = await changed(
        () => set('02:53:46:ff:ff:ff'),
        () => set(mac!),
      );
      expect(report.policies.find(({ policy }) => policy === 'stream-arrives')).toMatchObject({ answer: 'violated' });
      expect(differenceOf(report).there.map(({ why }) => why)).toContain('the frame is for another address');
    });

    /** What is found while something is changed. When it is as it was, nothing is. */
    async function changed(change: () => Promise<unknown>, back: () => Promise<unknown>): Promise<VerificationReport> {
      await change();
      const report = await asked().finally(back);
      expect(await asked()).toMatchObject({ answer: 'holds', likeness: { answer: 'holds' } });
      return report;
    }

    const rulesOf = (paths: Difference['there']) => paths.flatMap(({ hops }) => hops.flatMap(({ because }) => because));

    function differenceOf({ likeness }: VerificationReport): Difference {
      expect(likeness?.answer).toBe('violated');
      return likeness!.differences[0]!;
    }

    const number = (text: string) => String(text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0));

    /** The namespace of the host on which a unit is, its address, and the route to it, as words of `ip`. */
    async function placeOf(path: string) {
      const { units } = await running.client.call('getService', { params: { name } });
      const { address } = units.find((unit) => unit.path === path)!.ports[0]!;
      const spaces = (await world.kernel()).flatMap((line) => /^(?:namespace|netns) (\S+)/.exec(line)?.[1] ?? []);
      for (const host of spaces.filter((space) => space.includes('h-'))) {
        const shown = await inNamespace(host, 'ip', '-4', 'route', 'show', `${address}/32`);
        if (shown.includes(' dev p')) return { host, address, route: shown.trim().split(/\s+/) };
      }
      throw new Error(`none of ${spaces.join(', ')} has a port with ${address}`);
    }
  });
}
