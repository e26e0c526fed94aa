import type { Block, Chain, Port, Service } from './block.ts';
import { type BlockIndex, joinAt } from './check-blocks.ts';
import type { Findings } from './findings.ts';
import { splitPortReference } from './graph.ts';

/** Six bits of the header (RFC 2474). */
const DSCP_MAX = 63;

/** Whether traffic can go where it is meant to: chains through ports that are wide and open enough, functions that are reached. */
export function checkTraffic(service: Service, index: BlockIndex, findings: Findings): void {
  for (const { block, at } of index.values()) checkQuality(block, at, findings);
  service.chains.forEach((chain, i) => checkChain(chain, `chains[${i}]`, index, findings));
  checkReached(service, index, findings);
}

function checkQuality({ ports }: Block, at: string, findings: Findings): void {
  ports.forEach(({ name, bandwidthMbps, guaranteedMbps, dscp }, i) => {
    const portAt = joinAt(at, `ports[${i}]`);
    if (dscp !== undefined && !(Number.isInteger(dscp) && dscp >= 0 && dscp <= DSCP_MAX))
      findings.error('SF-MODEL-QUALITY', `${portAt}.dscp`, `${dscp} is not a code point: 0 to ${DSCP_MAX}`);
    if (guaranteedMbps !== undefined && bandwidthMbps !== undefined && guaranteedMbps > bandwidthMbps) {
      const message = `port '${name}' shall always have ${guaranteedMbps} Mbit/s, and ${bandwidthMbps} at most`;
      findings.error('SF-MODEL-QUALITY', `${portAt}.guaranteedMbps`, message);
    }
  });
}

function checkChain(chain: Chain, at: string, index: BlockIndex, findings: Findings): void {
  const hops = [chain.from, ...chain.through, chain.to];
  hops.forEach((reference, i) => {
    const { path, port: name } = splitPortReference(reference);
    const ports = index.get(path)?.block.ports ?? [];
    const port =
      name === undefined ? ports.find(({ network }) => network !== undefined) : ports.find((one) => one.name === name);
    if (port === undefined) return;
    const hopAt = i === 0 ? `${at}.from` : i === hops.length - 1 ? `${at}.to` : `${at}.through[${i - 1}]`;
    const { bandwidthMbps: width } = port;
    if (chain.bandwidthMbps !== undefined && width !== undefined && width < chain.bandwidthMbps) {
      const message = `port '${port.name}' of '${path}' has ${width} Mbit/s, the chain asks for ${chain.bandwidthMbps}`;
      findings.error('SF-MODEL-CHAIN', hopAt, message);
    }
    if (i > 0 && !letsIn(port, chain)) {
      const what = `${chain.protocol}${chain.ports.length === 0 ? '' : ` ${chain.ports.join(', ')}`}`;
      findings.warn('SF-MODEL-CHAIN', hopAt, `port '${port.name}' of '${path}' does not let ${what} in`);
    }
  });
}

/** Whether some rule lets all of the chain's ports in, from somewhere. */
function letsIn({ allow }: Port, { protocol, ports }: Chain): boolean {
  if (allow === undefined) return true;
  const fits = allow.filter(
    (rule) => rule.protocol === undefined || (protocol !== 'any' && rule.protocol === protocol),
  );
  const anyPort = fits.some((rule) => rule.ports === undefined);
  return anyPort || (ports.length > 0 && ports.every((port) => fits.some((rule) => rule.ports!.includes(port))));
}

/** A function that has no port on a network and no link, in a service of several, has nothing to do with the others. */
function checkReached(service: Service, index: BlockIndex, findings: Findings): void {
  const functions = service.block.children;
  if (functions.length < 2) return;
  const reached = new Set(service.block.links.flatMap(({ ends }) => ends.map((end) => splitPortReference(end).path)));
  for (const { path, block } of index.values()) {
    // What runs inside something else is reached through that.
    const nested = (block.execution?.nested?.parent ?? 'none') !== 'none';
    if (nested || block.ports.some(({ network }) => network !== undefined)) reached.add(path.split('/', 1)[0]!);
  }
  functions.forEach(({ name }, i) => {
    if (reached.has(name)) return;
    const message = `nothing can reach function '${name}': it has no port on a network and no link`;
    findings.warn('SF-MODEL-UNREACHABLE', `functions[${i}]`, message);
  });
}
