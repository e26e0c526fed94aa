import { describe, expect, it } from 'vitest';
import { aService, aSite, aUnit } from './fixtures.ts';
import { buildTopology, sitesAround, TOPOLOGY_LIMITS } from './topology.ts';

const edge = aSite('edge', ['e1', 'e2']);
const core = aSite('core', ['c1']);

describe('buildTopology', () => {
  it('puts units into hosts and sites, users left, core right', () => {
    const service = aService([aUnit('web/server', 0, 'core/c1'), aUnit('web/proxy', 0, 'edge/e2')]);
    const topology = buildTopology({ sites: [core, edge], links: [], service });
    expect(topology.sites.map((site) => site.name)).toEqual(['edge', 'core']);
    const members = topology.sites.flatMap((site) => site.hosts.map((host) => [host.id, host.members.length]));
    expect(members).toEqual([
      ['edge/e1', 0],
      ['edge/e2', 1],
      ['core/c1', 1],
    ]);
  });

  it('orders the units of a host as the chain visits them', () => {
    const [a, b, c] = [aUnit('a', 0, 'edge/e1'), aUnit('b', 0, 'edge/e1'), aUnit('c', 0, 'edge/e1')];
    const topology = buildTopology({ sites: [edge], links: [], service: aService([a, b, c], [c, a, b]) });
    expect(topology.sites[0]!.hosts[0]!.members.map((member) => member.role)).toEqual(['c#0', 'a#0', 'b#0']);
    expect(topology.chains[0]!.hops.map((hop) => hop.member)).toEqual([c.id, a.id, b.id]);
  });

  it('finds hops that are named by role, at the site that the hop names, while a move has two of one role', () => {
    const [old, fresh] = [aUnit('video', 0, 'core/c1'), aUnit('video', 0, 'edge/e1')];
    const service = aService([old, fresh], [fresh]);
    service.chains[0]!.hops[0]!.unit = 'video#0';
    const topology = buildTopology({ sites: [edge, core], links: [], service });
    expect(topology.chains[0]!.hops[0]!.member).toBe(fresh.id);
  });

  it('draws one node per path and host above the threshold, and keeps the chain on it', () => {
    const many = Array.from({ length: 1_000 }, (_, i) =>
      aUnit('web/server', i, `edge/e${1 + (i % 2)}`, i === 0 ? { state: 'failed' } : {}),
    );
    const topology = buildTopology({
      sites: [edge],
      links: [],
      service: aService(many, [many[0]!, many[2]!, many[1]!]),
    });
    expect(topology.collapsed).toBe(true);
    const members = topology.sites[0]!.hosts.flatMap((host) => host.members);
    expect(members).toHaveLength(2);
    expect(members[0]).toMatchObject({ kind: 'count', count: 500, byState: { running: 499, failed: 1 } });
    expect(topology.chains[0]!.hops.map((hop) => hop.member)).toEqual(['edge/e1/web/server', 'edge/e2/web/server']);
  });

  it('draws a site of very many hosts as one group', () => {
    const hosts = Array.from({ length: 100 }, (_, i) => `h${i}`);
    const units = hosts.map((host, i) => aUnit('web/server', i, `big/${host}`));
    const topology = buildTopology({ sites: [aSite('big', hosts)], links: [], service: aService(units) });
    expect(topology.sites[0]!.hosts).toHaveLength(1);
    expect(topology.sites[0]!.hosts[0]).toMatchObject({ id: 'big/*', label: '100 of 100 hosts' });
  });

  it('bounds what is drawn of an idle site of 10,000 hosts', () => {
    const hosts = Array.from({ length: 10_000 }, (_, i) => `h${i}`);
    const topology = buildTopology({ sites: [aSite('big', hosts)], links: [] });
    expect(topology.sites[0]!.hosts).toHaveLength(TOPOLOGY_LIMITS.idleHostsDrawn);
  });

  it('leaves out links to sites that are not shown', () => {
    const link = { latencyMs: 1, jitterMs: 0, loss: 0, bandwidthMbps: 100 };
    const links = [
      { a: 'edge', b: 'core', ...link },
      { a: 'edge', b: 'elsewhere', ...link },
    ];
    expect(buildTopology({ sites: [edge, core], links }).links).toEqual([links[0]]);
  });
});

describe('sitesAround', () => {
  const far = aSite('far', ['f1']);
  const link = { a: 'edge', b: 'core', latencyMs: 1, jitterMs: 0, loss: 0, bandwidthMbps: 1 };

  it('are those with units, and those linked to them', () => {
    const service = aService([aUnit('web/server', 0, 'core/c1')]);
    expect(sitesAround([edge, core, far], [link], service)).toEqual([edge, core]);
    expect(sitesAround([edge, core, far], [], service)).toEqual([core]);
    expect(sitesAround([edge, core, far], [link], aService([]))).toEqual([edge, core, far]);
    expect(sitesAround([edge, far], [link], undefined)).toEqual([edge, far]);
  });
});
