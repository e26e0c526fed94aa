import { append } from '@superfluidity/core';
import { renderChain, type SitePath } from '@superfluidity/fabric';
import { type Box, type Instruction, type Network, portsOf } from '@superfluidity/verify';
import { hostPrograms, portName } from './host.ts';
import type { At, Plane, PlaneUnit } from './plane.ts';
import { routerProgram } from './site-router.ts';
import type { Subject } from './subject.ts';
import { unitModel } from './unit.ts';

/** Documentation prefix (RFC 3849): segments that nobody has given out yet. */
const SPACE = 0x2001_0db8n << 96n;
const SITE_SHIFT = 64n;
const LOCATOR_BITS = 64;

const textOf = (sid: bigint): string =>
  Array.from({ length: 8 }, (_, i) => ((sid >> BigInt(112 - 16 * i)) & 0xffffn).toString(16)).join(':');

/** The plane as a network that can be executed, with the places of its units. */
export function intendedNetwork(plane: Plane): Subject {
  const boxes = new Map<string, Box>();
  const programs = new Map<string, Instruction>();
  const routines = new Map<string, Instruction>();
  const links = new Map<string, readonly string[]>();
  const unknown = new Map<string, string>();
  const assumptions = [...plane.assumptions];
  const sites = [...new Set(plane.units.map(({ site }) => site))];
  const hosts = [...new Set(plane.units.map(hostOf))];

  const locator = (site: string) => SPACE | (BigInt(sites.indexOf(site) + 1) << SITE_SHIFT);
  const ports = plane.units.flatMap((unit, i) =>
    unit.ports.map((port, j) => ({ unit, port, sid: locator(unit.site) | BigInt(((i + 1) << 8) | (j + 1)) })),
  );
  const sids = new Map(ports.map((each) => [textOf(each.sid), each.sid]));
  for (const site of sites) sids.set(textOf(locator(site)), locator(site));
  const sidOf = (text: string): bigint => sids.get(text)!;

  const paths = plane.chains.flatMap((chain): readonly (SitePath & { readonly at?: At })[] => {
    const rendered = renderChain({
      chainId: chain.name,
      version: 1,
      chain,
      hops: chain.hops.map((hop) => {
        const found = ports.find(({ unit, port }) => unit.name === hop.unit && port.name === hop.port)!;
        const { unit, port, sid } = found;
        return {
          site: unit.site,
          routerSid: textOf(locator(unit.site)),
          port: {
            id: portName(found),
            name: port.name,
            network: port.network,
            host: unit.host,
            address: port.address,
            mac: '',
            sid: textOf(sid),
          },
          ...(hop.translates === undefined ? {} : { translates: hop.translates }),
        };
      }),
    });
    return rendered.map((path) => (chain.at === undefined ? path : { ...path, at: chain.at }));
  });

  for (const unit of plane.units) {
    const model = unitModel(unit);
    boxes.set(unit.name, model.box);
    for (const [port, program] of model.programs) programs.set(port, program);
    for (const [routine, body] of model.routines ?? []) routines.set(routine, body);
    for (const [box, why] of model.unknown ?? []) unknown.set(box, why);
    append(assumptions, model.assumptions);
    for (const port of unit.ports) {
      links.set(`${unit.name}:${port.interface}:out`, [`${hostOf(unit)}:${portName({ unit, port })}:in`]);
    }
  }
  for (const [i, name] of hosts.entries()) {
    const mine = ports.filter(({ unit }) => hostOf(unit) === name);
    const { site } = mine[0]?.unit ?? plane.units.find((unit) => hostOf(unit) === name)!;
    boxes.set(name, { name, kind: 'host' });
    const address = locator(site) | BigInt(0xffff_0000 + i);
    const host = hostPrograms({
      name,
      site,
      plane,
      ports: mine,
      paths: paths.filter((path) => path.site === site),
      sidOf,
      address,
    });
    for (const [port, program] of host.programs) programs.set(port, program);
    for (const [routine, body] of host.routines) routines.set(routine, body);
  }
  for (const site of sites) {
    boxes.set(`${site}/router`, { name: `${site}/router`, kind: 'router' });
    const others = plane.links
      .flatMap(([a, b]) => (a === site ? [b] : b === site ? [a] : []))
      .filter((other) => sites.includes(other));
    const program = routerProgram({
      site,
      sid: locator(site),
      units: ports
        .filter(({ unit }) => unit.site === site)
        .map(({ unit, port, sid }) => ({ address: port.address, sid, host: hostOf(unit) })),
      neighbours: others.map((other) => ({
        site: other,
        locator: { value: locator(other), length: LOCATOR_BITS },
        prefixes: [...new Set(ports.filter(({ unit }) => unit.site === other).map(({ port }) => port.prefix))],
      })),
    });
    programs.set(`${site}/router:in`, program);
  }
  for (const { name, isProxied, site } of plane.balancers) {
    if (isProxied) assumptions.push(`the proxy of ${name} at ${site} passes requests on to its members`);
  }
  const ends = plane.units.map(({ name }) => `${name}:local:out`);
  const network: Network = {
    name: plane.service,
    boxes,
    programs,
    links,
    routines,
    unknown,
    edges: new Set(ends),
  };
  return { network, units: plane.units.map((unit) => placesOf(unit, network)), assumptions: [...new Set(assumptions)] };
}

const hostOf = ({ site, host }: PlaneUnit): string => `${site}/${host}`;

function placesOf(unit: PlaneUnit, network: Network): Subject['units'][number] {
  const { name, path, ports } = unit;
  return {
    name,
    path,
    networks: ports.map(({ network: on }) => on),
    addresses: ports.map(({ address }) => address),
    serviceAddresses: [...new Set(ports.flatMap(({ serviceAddresses }) => serviceAddresses))],
    starts: [`${name}:local:in`],
    ends: [`${name}:local:out`],
    all: [...portsOf(network)].filter((port) => port.startsWith(`${name}:`)),
  };
}
