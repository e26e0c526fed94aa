import type { Block, Chain, Network, Service } from './block.ts';
import { checkBalancer } from './check-balancers.ts';
import { checkName, joinAt, unitPaths, type BlockIndex } from './check-blocks.ts';
import { modelLimits } from './errors.ts';
import type { Findings } from './findings.ts';
import { splitPortReference } from './graph.ts';
import {
  formatIpv4Prefix,
  isHostAddress,
  parseIpv4,
  parseIpv4Prefix,
  prefixesOverlap,
  prefixHas,
  type Ipv4Prefix,
} from './ipv4.ts';

/** Networks, the addresses in them, chains and balancers. */
export function checkNetworking(service: Service, index: BlockIndex, findings: Findings): void {
  for (const list of ['networks', 'chains', 'balancers'] as const) {
    if (service[list].length > modelLimits[list]) {
      return findings.error('SF-MODEL-LIMIT', list, `more than ${modelLimits[list]} ${list}`);
    }
  }
  const prefixes = checkNetworks(service.networks, findings);
  const addresses = new Map<string, string>();
  const macs = new Map<string, string>();
  for (const { block, at } of index.values()) {
    checkPorts(block, at, prefixes, addresses, findings);
    checkMacs(block, at, macs, findings);
  }
  checkServiceAddresses(service, prefixes, addresses, findings);
  service.chains.forEach((chain, i) => checkChain(chain, `chains[${i}]`, index, findings));
  service.balancers.forEach((balancer, i) => checkBalancer(balancer, `balancers[${i}]`, index, findings));
}

type Prefixes = ReadonlyMap<string, Ipv4Prefix | undefined>;

function checkNetworks(networks: readonly Network[], findings: Findings): Prefixes {
  const prefixes = new Map<string, Ipv4Prefix | undefined>();
  networks.forEach((network, i) => {
    const at = `networks[${i}]`;
    checkName(network.name, `${at}.name`, findings);
    if (prefixes.has(network.name)) {
      findings.error('SF-MODEL-DUPLICATE', `${at}.name`, `there is a network '${network.name}' already`);
      return;
    }
    const prefix = parseIpv4Prefix(network.prefix);
    if (prefix === undefined) {
      findings.error(
        'SF-MODEL-PREFIX',
        `${at}.prefix`,
        `'${network.prefix.slice(0, 80)}' is not an IPv4 prefix`,
        repaired(network.prefix),
      );
    } else {
      for (const [name, other] of prefixes) {
        if (other === undefined || !prefixesOverlap(prefix, other)) continue;
        findings.error(
          'SF-MODEL-PREFIX',
          `${at}.prefix`,
          `${network.prefix} overlaps ${formatIpv4Prefix(other)} of network '${name}'`,
        );
        break;
      }
    }
    prefixes.set(network.name, prefix);
  });
  return prefixes;
}

/** `10.1.2.3/16` was meant as 10.1.0.0/16. */
function repaired(text: string): string | undefined {
  const [address, length] = text.split('/');
  const value = parseIpv4(address ?? '');
  if (value === undefined || !/^([0-9]|[12][0-9]|3[0-2])$/.test(length ?? '')) return undefined;
  const size = 2 ** (32 - Number(length));
  return `did you mean '${formatIpv4Prefix({ base: value - (value % size), length: Number(length) })}'?`;
}

function checkPorts(
  block: Block,
  at: string,
  prefixes: Prefixes,
  addresses: Map<string, string>,
  findings: Findings,
): void {
  block.ports.forEach((port, i) => {
    const portAt = joinAt(at, `ports[${i}]`);
    port.allow?.forEach((rule, j) => {
      if (rule.from !== undefined && parseIpv4Prefix(rule.from) === undefined && parseIpv4(rule.from) === undefined) {
        findings.error(
          'SF-MODEL-PREFIX',
          `${portAt}.allow[${j}].from`,
          `'${rule.from.slice(0, 80)}' is neither an IPv4 prefix nor an address`,
        );
      }
    });
    if (port.network !== undefined && !prefixes.has(port.network)) {
      findings.missing(`${portAt}.network`, 'network', port.network, prefixes.keys());
    }
    if (port.address === undefined) return;
    const addressAt = `${portAt}.address`;
    const address = parseIpv4(port.address);
    if (address === undefined) {
      findings.error('SF-MODEL-ADDRESS', addressAt, `'${port.address.slice(0, 80)}' is not an IPv4 address`);
      return;
    }
    if (port.network === undefined) {
      findings.error('SF-MODEL-ADDRESS', addressAt, 'a port without a network cannot have an address');
      return;
    }
    const prefix = prefixes.get(port.network);
    if (prefix !== undefined && !isHostAddress(prefix, address)) {
      findings.error(
        'SF-MODEL-ADDRESS',
        addressAt,
        `${port.address} is not an address of a host in network '${port.network}' (${formatIpv4Prefix(prefix)})`,
      );
    }
    if ((block.scale?.max ?? 1) > 1) {
      findings.error(
        'SF-MODEL-ADDRESS',
        addressAt,
        `'${block.name}' can have several instances, which would all have ${port.address}`,
      );
    }
    claim(port.address, `${block.name}.${port.name}`, addressAt, addresses, findings);
  });
}

/** Of one station (IEEE 802 clause 8.2: the lowest bit of the first octet says group), and not all zero. */
const MAC = /^(?!00(?::00){5}$)[0-9a-f][02468ace](?::[0-9a-f]{2}){5}$/;

function checkMacs(block: Block, at: string, macs: Map<string, string>, findings: Findings): void {
  block.ports.forEach(({ mac, name }, i) => {
    if (mac === undefined) return;
    const macAt = joinAt(at, `ports[${i}].mac`);
    if (!MAC.test(mac)) {
      const meant = mac.toLowerCase().replaceAll('-', ':');
      const message = `'${mac.slice(0, 80)}' is not the Ethernet address of a station`;
      findings.error('SF-MODEL-MAC', macAt, message, MAC.test(meant) ? `did you mean '${meant}'?` : undefined);
      return;
    }
    if ((block.scale?.max ?? 1) > 1) {
      const message = `'${block.name}' can have several instances, which would all have ${mac}`;
      findings.error('SF-MODEL-MAC', macAt, message);
    }
    const owner = `${block.name}.${name}`;
    const other = macs.get(mac);
    if (other !== undefined) {
      findings.error('SF-MODEL-MAC', macAt, `${mac} is used twice: by '${other}' and by '${owner}'`);
    } else macs.set(mac, owner);
  });
}

function claim(address: string, owner: string, at: string, addresses: Map<string, string>, findings: Findings): void {
  const other = addresses.get(address);
  if (other !== undefined)
    findings.error('SF-MODEL-ADDRESS', at, `${address} is used twice: by '${other}' and by '${owner}'`);
  else addresses.set(address, owner);
}

/** The addresses of chains and balancers: outside of all networks, since every site must be able to route them at will. */
function checkServiceAddresses(
  service: Service,
  prefixes: Prefixes,
  addresses: Map<string, string>,
  findings: Findings,
): void {
  const owners = [
    ...service.chains.map((owner, i) => ({ owner, list: 'chains', at: `chains[${i}]` })),
    ...service.balancers.map((owner, i) => ({ owner, list: 'balancers', at: `balancers[${i}]` })),
  ];
  const names = new Set<string>();
  for (const { owner, list, at } of owners) {
    checkName(owner.name, `${at}.name`, findings);
    if (names.has(`${list}/${owner.name}`)) {
      findings.error('SF-MODEL-DUPLICATE', `${at}.name`, `'${owner.name}' is there already among the ${list}`);
    }
    names.add(`${list}/${owner.name}`);
    const address = parseIpv4(owner.address);
    if (address === undefined) {
      findings.error('SF-MODEL-ADDRESS', `${at}.address`, `'${owner.address.slice(0, 80)}' is not an IPv4 address`);
      continue;
    }
    // The address of a balancer may lie in a network (it is then one of its addresses); a chain's may not.
    for (const [name, prefix] of list === 'chains' ? prefixes : []) {
      if (prefix !== undefined && prefixHas(prefix, address)) {
        findings.error(
          'SF-MODEL-ADDRESS',
          `${at}.address`,
          `${owner.address} lies inside network '${name}' (${formatIpv4Prefix(prefix)}): it could not move from site to site`,
        );
      }
    }
    claim(owner.address, owner.name, `${at}.address`, addresses, findings);
  }
}

function checkChain(chain: Chain, at: string, index: BlockIndex, findings: Findings): void {
  if (chain.through.length > modelLimits.hops) {
    findings.error('SF-MODEL-LIMIT', `${at}.through`, `more than ${modelLimits.hops} hops`);
    return;
  }
  const hops = [
    { reference: chain.from, at: `${at}.from`, inner: false },
    ...chain.through.map((reference, i) => ({ reference, at: `${at}.through[${i}]`, inner: true })),
    { reference: chain.to, at: `${at}.to`, inner: false },
  ];
  const seen = new Set<string>();
  for (const hop of hops) {
    const { path, port } = splitPortReference(hop.reference);
    const unit = index.get(path)?.block;
    if (unit?.kind !== 'unit') {
      findings.missing(hop.at, 'unit', path, unitPaths(index));
      continue;
    }
    if (port !== undefined && !unit.ports.some(({ name }) => name === port)) {
      findings.missing(
        hop.at,
        `port of '${path}'`,
        port,
        unit.ports.map(({ name }) => name),
      );
    } else if (!unit.ports.some((p) => p.network !== undefined && (port === undefined || p.name === port))) {
      findings.error('SF-MODEL-CHAIN', hop.at, `'${hop.reference}' has no port on a network`);
    }
    // Steering goes by the port that a packet comes from: a unit that is passed twice cannot tell where to send it next.
    if (seen.has(path)) findings.error('SF-MODEL-CHAIN', hop.at, `the chain comes through '${path}' twice`);
    seen.add(path);
    const forwards = unit.execution?.forwards === true || unit.execution?.environment === 'click';
    if (hop.inner && !forwards) {
      findings.warn('SF-MODEL-CHAIN', hop.at, `'${path}' does not say 'forwards: true': packets would end there`);
    }
  }
  if (chain.protocol === 'any' && chain.ports.length > 0) {
    findings.error('SF-MODEL-CHAIN', `${at}.ports`, 'ports need a protocol: tcp or udp');
  }
}
