import type { VerificationReport, WaysReport } from '@superfluidity/api';
import { nearest, SuperfluidityError } from '@superfluidity/core';
import { locateNative } from '@superfluidity/dialects';
import { onOneSite, type Plane, type PlaneRequest, planeOf } from '@superfluidity/intent/plane';
import { Prover } from '@superfluidity/intent/prover';
import type { Machine, RealisedPlane, RealisedUnit } from '@superfluidity/intent/realised';
import { policyPlaces, type Service, type SitePath, splitPortReference } from '@superfluidity/model';
import type { SiteDriver, UnitSpec } from '@superfluidity/site';
import { unitName } from './actions.ts';
import type { ResolvedDescriptor } from './catalogue.ts';
import { homeOf, type NetworkHomes } from './shared-networks.ts';
import type { Situation } from './transition.ts';
import type { UnitRecord } from './unit-records.ts';

/** Proves the policies of services: on what is planned, and on what sites say is there. */
export interface Verification {
  /** On the data plane of a situation. Undefined: the service has no policies. */
  intended(what: IntendedSituation): Promise<VerificationReport | undefined>;
  /** With all functions on one site that is not there: before anybody knows where they go. */
  described(
    descriptor: Pick<ResolvedDescriptor, 'service' | 'source' | 'file'>,
  ): Promise<VerificationReport | undefined>;
  /** On what the sites have now, which is also compared with what is meant to be there. */
  realised(what: IntendedSituation): Promise<VerificationReport | undefined>;
  /** Where packets go, whether the service has policies or not. */
  ways(what: IntendedSituation, question: WaysQuestion, realised: boolean): Promise<WaysReport>;
  /** Makes ready for the first proof. */
  warm(): void;
  close(): Promise<void>;
}

export interface IntendedSituation {
  readonly name: string;
  readonly descriptor: ResolvedDescriptor;
  readonly situation: Pick<Situation, 'units' | 'chains' | 'slots'>;
  readonly paths: readonly SitePath[];
  /** Of units that are there already: their addresses are known. */
  readonly records: readonly UnitRecord[];
  /** Sites that are in the networks of others. */
  readonly homes?: NetworkHomes;
}

export interface WaysQuestion {
  readonly from: string;
  readonly to?: string;
  readonly packet?: string;
}

export function createVerification(drivers: () => ReadonlyMap<string, SiteDriver>): Verification {
  const prover = new Prover();

  async function onPlane(service: Service, intended: Plane): Promise<VerificationReport> {
    return plainReport(await prover.prove({ service: policyParts(service), intended }));
  }

  const meantOf = ({ descriptor, ...what }: IntendedSituation): Plane =>
    planeOf({ ...requestOf(descriptor.service, what), ...locatedIn(descriptor) });

  return {
    async intended(what) {
      const { service } = what.descriptor;
      return hasPolicies(service) ? onPlane(service, meantOf(what)) : undefined;
    },

    async described({ service, ...text }) {
      return hasPolicies(service) ? onPlane(service, onOneSite(service, locatedIn(text))) : undefined;
    },

    async realised(what) {
      const { service } = what.descriptor;
      if (!hasPolicies(service)) return undefined;
      const realised = await readPlane(drivers(), service, what.name, what.records);
      return plainReport(await prover.prove({ service: policyParts(service), realised, meant: meantOf(what) }));
    },

    async ways(what, question, realised) {
      const { service } = what.descriptor;
      const doing = `find the ways of packets from ${question.from}`;
      for (const place of [question.from, question.to]) if (place !== undefined) mustBePlace(service, place, doing);
      const planes = realised
        ? { realised: await readPlane(drivers(), service, what.name, what.records) }
        : { intended: meantOf(what) };
      const answer = await prover.ways({ service: policyParts(service), question, ...planes });
      if (!('why' in answer)) return answer as WaysReport;
      const { why, reason } = answer;
      if (why === 'refused') throw new SuperfluidityError('SF-LIFECYCLE-WAYS', { doing, reason });
      return {
        plane: realised ? 'realised' : 'intended',
        ways: [],
        found: 0,
        bound: reason,
        assumptions: [],
        tookMs: 0,
      };
    },

    warm: () => prover.warm(),
    close: () => prover.close(),
  };
}

function mustBePlace(service: Service, place: string, doing: string): void {
  const places = policyPlaces(service);
  if (places.includes(place)) return;
  const similar = nearest(place, places);
  const rather =
    similar === undefined ? `there are ${places.slice(0, PLACES_NAMED).join(', ')}` : `did you mean '${similar}'?`;
  throw new SuperfluidityError('SF-LIFECYCLE-WAYS', { doing, reason: `the service has no '${place}'; ${rather}` });
}

const PLACES_NAMED = 8;

export const hasPolicies = ({ policies = [] }: Service): boolean => policies.length > 0;

/** A site can be asked what it has only where packets are packets. */
export function canBeRead(drivers: ReadonlyMap<string, SiteDriver>, sites: Iterable<string>): boolean {
  return [...sites].every((site) => drivers.get(site)?.readDataPlane !== undefined);
}

/** Refuses what would break a policy, with the packet that shows it, its path and the rules. */
export function refuseViolation(
  report: VerificationReport | undefined,
  code: 'SF-LIFECYCLE-POLICY' | 'SF-LIFECYCLE-POLICY-REALISED',
  doing: string,
): void {
  const violated = report?.policies.filter(({ answer }) => answer === 'violated') ?? [];
  const [first] = violated;
  if (first === undefined) return;
  const [path] = first.paths;
  const rules = [
    ...(path?.hops.flatMap(({ because }) => because) ?? first.rules),
    ...(path?.source ? [path.source] : []),
  ];
  const lines = [...new Set(rules.map(({ file, line }) => `${file}:${line}`))].slice(-RULES_SHOWN);
  const where = lines.length === 0 ? '' : ` (by ${lines.join(', ')})`;
  const others = violated.length === 1 ? '' : `, and ${violated.length - 1} more are violated`;
  throw new SuperfluidityError(code, {
    doing,
    reason: `policy '${first.policy}': ${lowerFirst(first.because.replace(/\.$/, ''))}${where}${others}`,
    data: { policies: violated.map(({ paths, ...policy }) => ({ ...policy, paths: paths.slice(0, 1) })) },
  });
}

/** In the message; all are in the data. */
const RULES_SHOWN = 4;
const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1);

/** What is not known, as one sentence of a warning. */
export function unknownPolicies(report: VerificationReport | undefined): string | undefined {
  const unknown = report?.policies.filter(({ answer }) => answer === 'unknown') ?? [];
  if (unknown.length === 0) return undefined;
  return `not proven: ${unknown.map(({ policy, because }) => `${policy} (${because})`).join('; ')}`;
}

/** That what is there does something else than was meant, as one sentence of a warning. */
export function notAsMeant(report: VerificationReport | undefined): string | undefined {
  if (report?.likeness?.answer !== 'violated') return undefined;
  const { because, differences } = report.likeness;
  return `what its sites have is not what was meant: ${lowerFirst(differences[0]?.because ?? because)}`;
}

const policyParts = ({ block, networks, chains, policies = [] }: Service) => ({ block, networks, chains, policies });

/** The API has lists that can be written to; a report is never written to. */
const plainReport = (report: Awaited<ReturnType<Prover['prove']>>) => report as VerificationReport;

function locatedIn({ source, file }: Pick<ResolvedDescriptor, 'source' | 'file'>): Pick<PlaneRequest, 'locate'> {
  const name = file ?? 'descriptor.yaml';
  const locate = locateNative(source, name);
  return {
    locate: (path) => {
      const found = locate(path);
      return found === undefined ? undefined : { file: name, line: found.line };
    },
  };
}

function requestOf(
  service: Service,
  { name, situation, paths, records, homes }: Omit<IntendedSituation, 'descriptor'>,
): PlaneRequest {
  const here = new Map(records.map((record) => [record.planned.spec.id, record]));
  const addresses = situation.units.flatMap(({ spec }) =>
    (here.get(spec.id)?.ports ?? []).map(
      (port) => [`${unitName(spec)}.${port.id.slice(spec.id.length + 1)}`, port.address] as const,
    ),
  );
  return {
    name,
    service,
    placed: situation.units.map(({ site, spec: { path, index, host } }) => {
      // Sites on one segment are one site of several hosts: no link is between them.
      const home = homeOf(homes, site);
      return { path, index, site: home, host: home === site ? host : `${site}/${host}` };
    }),
    links: paths.map(({ a, b }) => [a, b]),
    slots: situation.slots,
    addresses: new Map(addresses),
    chains: situation.chains.map(({ name: chain, address, protocol, ports, hops }) => ({
      name: chain,
      address,
      protocol,
      ports,
      hops: hops.map(({ unit, unitId, port, translates }) => ({
        unit,
        port: port.slice(unitId.length + 1),
        ...(translates === undefined ? {} : { translates }),
      })),
    })),
  };
}

async function readPlane(
  drivers: ReadonlyMap<string, SiteDriver>,
  service: Service,
  name: string,
  records: readonly UnitRecord[],
): Promise<RealisedPlane> {
  const sites = [...new Set(records.map(({ planned }) => planned.site))];
  const unread: string[] = [];
  const dumps = await Promise.all(
    sites.map(async (site) => {
      const dump = await drivers.get(site)?.readDataPlane?.();
      if (dump === undefined) unread.push(`what site ${site} has cannot be read`);
      return dump ?? { files: [], ports: [] };
    }),
  );
  const places = new Map(dumps.flatMap(({ ports }) => ports.map(({ portId, place }) => [portId, place] as const)));
  const units = records.map(({ planned: { spec }, ports }): RealisedUnit => {
    const ends = service.chains.filter((chain) => splitPortReference(chain.to).path === spec.path);
    return {
      name: unitName(spec),
      path: spec.path,
      networks: spec.ports.map(({ network }) => network.slice(name.length + 1)),
      addresses: ports.map(({ address }) => address),
      serviceAddresses: ends.map(({ address }) => address),
      places: ports.flatMap(({ id }) => places.get(id) ?? []),
      ...(spec.execution.environment === 'vm' ? { machine: machineOf(service, spec, ports, places) } : {}),
    };
  });
  return { service: name, files: dumps.flatMap(({ files }) => files), units, unread };
}

/** What the site gave the machine: what becomes of that inside, only the machine knows. */
function machineOf(
  service: Service,
  { service: name, execution, ports }: UnitSpec,
  there: UnitRecord['ports'],
  places: ReadonlyMap<string, string>,
): Machine {
  const prefixes = new Map(service.networks.map(({ name: network, prefix }) => [`${name}.${network}`, prefix]));
  const { forwards = false, translates } = execution;
  return {
    forwards,
    ...(translates === undefined ? {} : { translates: prefixes.get(`${name}.${translates}`) ?? translates }),
    ports: ports.flatMap(({ id, name: device, network, serviceAddresses }) => {
      const [status, place, supernet] = [there.find((port) => port.id === id), places.get(id), prefixes.get(network)];
      if (status === undefined || place === undefined || supernet === undefined) return [];
      const { address, mac } = status;
      return [{ interface: device, address, mac, supernet, serviceAddresses, place }];
    }),
  };
}
