import { readDescriptor } from '@superfluidity/dialects';
import { unitsOf, type Host, type Site } from '@superfluidity/model';
import { chainsToPlace, place, unitsToPlace } from '@superfluidity/place';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const folder = dirname(fileURLToPath(import.meta.url));

function read(file: string) {
  const { service, problems } = readDescriptor([{ path: file, bytes: readFileSync(`${folder}/${file}`) }]);
  expect(problems).toEqual([]);
  return service!;
}

function site(name: string, core: number): Site {
  const used = { cpu: 0, memoryMiB: 0, storageMiB: 0 };
  const size = { cpu: 2, memoryMiB: 2048, storageMiB: 2048 };
  const host: Host = {
    name: 'h1',
    environments: ['container', 'nft', 'vm'],
    accelerators: [],
    ...size,
    used,
    schedulable: true,
  };
  return {
    name,
    kind: 'linux',
    tier: name,
    cells: [],
    services: [],
    price: { core, gib: 0.01 },
    hosts: [host],
    healthy: true,
  };
}

describe.each(['service.yaml', 'service-vm.yaml'])('%s', (file) => {
  const service = read(file);
  const request = {
    sites: [site('edge', 0.1), site('core', 0.04)],
    paths: [{ a: 'edge', b: 'core', latencyMs: 20, bandwidthMbps: 100 }],
    chains: chainsToPlace(service),
  };

  test('video is placed in the core because it is cheaper there, everything else at the edge', () => {
    const result = place({ ...request, units: unitsToPlace(service) });
    if (!result.ok) throw new Error(result.error.message);
    const where = Object.fromEntries(result.assignments.map((assignment) => [assignment.path, assignment.site]));
    const edge = ['ue/ue', 'radio/rrh', 'radio/bbu', 'epc/epc', 'offload/offload', 'firewall/firewall'];
    expect(where).toEqual({ ...Object.fromEntries(edge.map((path) => [path, 'edge'])), 'video/video': 'core' });
    expect(result.chains).toEqual([{ name: 'stream', latencyMs: 20 }]);
  });

  test('the edge of two cores has room for all of it, video included', () => {
    const units = unitsToPlace(service).map((unit) => ({ ...unit, pinned: { site: 'edge' } }));
    const result = place({ ...request, units });
    expect(result.ok && result.chains).toEqual([{ name: 'stream', latencyMs: 0 }]);
  });

  test('the files that it names are there', () => {
    for (const { unit } of unitsOf(service)) {
      const { files, command = [] } = unit.execution!;
      if (files === undefined) continue;
      for (const path of command.filter((word) => word.startsWith('/app'))) {
        expect(existsSync(`${folder}/${files}/${path.slice('/app'.length)}`), path).toBe(true);
      }
    }
  });

  const programs = unitsOf(service).filter(({ unit }) => unit.execution?.program !== undefined);
  const probe = spawnSync('unshare', ['--net', 'nft', 'list', 'tables']);
  const missing = probe.status === 0 ? '' : ' (skipped: needs root, unshare and nft)';
  test.skipIf(missing !== '')(`its rule sets are accepted by nft${missing}`, () => {
    expect(programs).toHaveLength(3);
    for (const { path, unit } of programs) {
      // A namespace of its own, which ends with the command: the machine's rules are not looked at.
      const { status, stderr } = spawnSync('unshare', ['--net', 'nft', '-f', '-'], { input: unit.execution!.program! });
      expect([path, status, stderr.toString()]).toEqual([path, 0, '']);
    }
  });
});
