import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { characterise, meanOf } from './testing/characterise.ts';
import { type LinuxWorld, linuxSites, whyNoLinuxSites } from './testing/linux-world.ts';
import { type ServerProcess, startServerProcess } from './testing/server-process.ts';

const why = await whyNoLinuxSites();
/** Each request takes 8 ms of a processor: one that gets a fiftieth of one answers two or three in a second. */
const server = `import http from 'node:http';
http.createServer((request, response) => {
  const spent = ({ user, system }) => user + system;
  for (const before = process.cpuUsage(); spent(process.cpuUsage(before)) < 8_000; );
  response.end('x'.repeat(2000));
}).listen(8080);
`;
const service = `superfluidity: 1
service:
  name: origin
  version: "1"
  networks: [{name: lan, prefix: 10.66.0.0/16}]
  functions:
    - name: origin
      environment: container
      image: "host:"
      files: .
      command: [node, /app/server.mjs]
      health: {kind: http, port: 8080, path: /, timeoutMs: 20000}
      ports: [lan]
      requirements: {cpu: 1, memoryMiB: 128, location: {sites: [edge]}}
`;
const characterisation = `service_id: ./service.yaml
instance_name: origin
deployment_parameters: {vm_vcpus: [0.02, 1]}
use_case:
  name: http
  from: {network: lan, site: edge}
  parameters:
    url: http://{origin}:8080/
    settle: 1.2
    sample_period: 0.5
    timeout: 0.5
    step_deltas: [40]
    step_periods: [1]
    step_repetitions: [1]
iterations: 1
action:
  type: template_optimization
  parameters:
    sla_classes: {good: {error_share: '{} < 0.2'}}
    costs: {vm_vcpus: {0.02: 1, 1: 10}}
`;

describe.skipIf(why !== undefined)(
  `characterisation of a service in namespaces${why === undefined ? '' : ` (${why})`}`,
  () => {
    let folder: string;
    let control: ServerProcess;
    let world: LinuxWorld;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sf-characterise-linux-'));
      control = await startServerProcess({ state: join(folder, 'state') });
      world = await linuxSites(control.client);
      await Promise.all([
        writeFile(join(folder, 'server.mjs'), server),
        writeFile(join(folder, 'service.yaml'), service),
        writeFile(join(folder, 'characterisation.yaml'), characterisation),
      ]);
    }, 60_000);
    afterAll(async () => {
      await control?.stop();
      await world?.purge();
      await rm(folder, { recursive: true, force: true });
    }, 60_000);

    test('with a fiftieth of a processor it serves less, uses no more than that, and nothing is left of it', async () => {
      const before = await world.counts();
      const [small, large] = await characterise(
        control,
        join(folder, 'characterisation.yaml'),
        join(folder, 'results.jsonl'),
      );
      expect(meanOf(small!, 'answered')).toBeLessThan(0.7 * meanOf(large!, 'answered'));
      expect(meanOf(small!, 'cpu.origin')).toBeLessThan(0.15);
      expect(meanOf(small!, 'cpu.origin')).toBeLessThan(meanOf(large!, 'cpu.origin'));
      expect(meanOf(small!, 'throttled.origin')).toBeGreaterThan(meanOf(large!, 'throttled.origin'));
      expect(meanOf(large!, 'memory.origin')).toBeGreaterThan(10);
      // Answers as the wire of the unit has counted them, against those that arrived: some come after their period.
      expect(meanOf(large!, 'tx_mbps.origin')).toBeGreaterThan(0.5 * meanOf(large!, 'throughput'));
      expect(Object.keys(large!.samples[0]!.metrics).filter((name) => name.includes('load-generator'))).toEqual([]);
      expect(await world.counts()).toEqual(before);
    }, 60_000);
  },
);
