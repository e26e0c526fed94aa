import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { characterise, meanOf } from './testing/characterise.ts';
import { type LinuxWorld, linuxSites, whyNoLinuxSites } from './testing/linux-world.ts';
import { type ServerProcess, startServerProcess } from './testing/server-process.ts';

const why = await whyNoLinuxSites();
const example = fileURLToPath(new URL('../../examples/characterise/linux.yaml', import.meta.url));

/** Sends datagrams back, each after half a millisecond of work. */
const echo = `superfluidity: 1
service:
  name: echo
  version: "1"
  networks: [{name: lan, prefix: 10.67.0.0/16}]
  functions:
    - name: echo
      environment: container
      image: "host:"
      command: [node, -e, "const s = require('node:dgram').createSocket('udp4').bind(7); s.on('message', (m, { port, address }) => { for (const b = process.cpuUsage(); process.cpuUsage(b).user < 500; ); s.send(m, port, address); });"]
      ports: [lan]
      requirements: {cpu: 1, memoryMiB: 128}
`;
const searching = `service_id: ./echo.yaml
instance_name: echo
deployment_parameters: {vm_vcpus: [0.02, 1]}
use_case:
  name: throughput
  from: {network: lan}
  parameters: {host: '{echo}', port: 7, min_rate: 10, max_rate: 2000, first_trial: 0.5, trial: 2, residual: 2, width: 0.4, loss_ratio: 0.3}
iterations: 1
action:
  type: template_optimization
  parameters:
    sla_classes: {good: {pdr: '{} > 200'}}
    costs: {vm_vcpus: {0.02: 1, 1: 10}}
`;

describe.skipIf(why !== undefined)(
  `characterisations with real units, neighbours and searches${why === undefined ? '' : ` (${why})`}`,
  { timeout: 600_000 },
  () => {
    let folder: string;
    let control: ServerProcess;
    let world: LinuxWorld;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sf-characterise-long-'));
      control = await startServerProcess({ state: join(folder, 'state') });
      world = await linuxSites(control.client);
    });
    afterAll(async () => {
      await control?.stop();
      await world?.purge();
      await rm(folder, { recursive: true, force: true });
    });

    test('the example: what a processor is for, with neighbours on the host of the service while it is measured', async () => {
      const before = await world.counts();
      const beside: string[][] = [];
      let isOver = false;
      const watching = (async () => {
        while (!isOver) {
          const { items } = await control.client.call('listUnits', { query: { limit: 100 } });
          const origin = items.find(({ path }) => path === 'origin/origin');
          const noise = items.find(({ service }) => service.endsWith('-n0'));
          if (origin?.state === 'running' && noise?.state === 'running')
            beside.push([`${origin.site}/${origin.host}`, `${noise.site}/${noise.host}`]);
          await delay(200);
        }
      })();
      const short = join(folder, 'linux.yaml');
      const folderOfExample = join(example, '..');
      const text = (await readFile(example, 'utf8'))
        .replaceAll('./', `${folderOfExample}/`)
        .replace('step_periods: [4]', 'step_periods: [1]')
        .replace('iterations: 2', 'iterations: 1');
      await writeFile(short, text);
      const results = await characterise(control, short, join(folder, 'linux.jsonl')).finally(() => {
        isOver = true;
      });
      await watching;
      expect(results).toHaveLength(6);
      // The last of what was seen of each: it moves there before it is measured.
      expect(beside.some(([origin, noise]) => origin === noise)).toBe(true);
      // With the least and with the most of a processor, both without a neighbour.
      expect(meanOf(results[0]!, 'answered')).toBeLessThan(meanOf(results[4]!, 'answered'));
      expect(await world.counts()).toEqual(before);
    });

    test('a search for throughput from inside, with a processor and without', async () => {
      const before = await world.counts();
      await writeFile(join(folder, 'echo.yaml'), echo);
      await writeFile(join(folder, 'search.yaml'), searching);
      const [slow, fast] = await characterise(control, join(folder, 'search.yaml'), join(folder, 'search.jsonl'));
      expect(meanOf(slow!, 'pdr')).toBeLessThan(meanOf(fast!, 'pdr'));
      expect(await world.counts()).toEqual(before);
    });
  },
);
