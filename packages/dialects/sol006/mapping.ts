/**
 * What SOL006 has no attribute for, and where it is put:
 *
 * - how a VDU is run (environment, command, health, requirements in fractions of cores ...): a nested descriptor of type
 *   `superfluidity`, referred to by `vduNestedDesc`, which holds the fields of a native unit;
 * - requirements of a whole VNF: `modifiable-attributes` metadata, `requirements=JSON`;
 * - the service address, ports and bounds of a chain: the `rule` of its nfpd, as `key=value` pairs;
 * - policies: the list `policy` of the NSD, an augmentation of `superfluidity-nfv.yang`;
 * - descriptions: `product-info-description` of the VNFD, `name` of the NSD.
 */
/** The module of the attributes of nested VDUs and of policies, `superfluidity-nfv.yang`: RFC 7951, clause 4, demands its name before theirs. */
export const AUGMENTATION = 'superfluidity-nfv';
export const NESTED_TYPE = 'superfluidity';
export const REQUIREMENTS_KEY = 'requirements';

const numbers = ['latencyMaxMs', 'latencyDesiredMs', 'bandwidthMbps', 'lossMax'] as const;

export interface ChainRule {
  readonly address: string;
  readonly protocol: string;
  readonly ports: readonly number[];
  readonly latencyMaxMs?: number;
  readonly latencyDesiredMs?: number;
  readonly bandwidthMbps?: number;
  readonly lossMax?: number;
}

/** Whether a rule is meant to be of the form that `formatRule` gives. The modules leave it open what rules look like. */
export function looksLikeRule(text: string): boolean {
  const words = text.split(/\s+/).filter((word) => word !== '');
  return (
    words.every((word) => /^\w+=/.test(word)) && words.some((word) => /^(?:destination|protocol|ports)=/.test(word))
  );
}

/** `destination=10.99.0.10 protocol=tcp ports=8080 latencyMaxMs=100` */
export function formatRule(rule: ChainRule): string {
  const pairs = [`destination=${rule.address}`, `protocol=${rule.protocol}`];
  if (rule.ports.length > 0) pairs.push(`ports=${rule.ports.join(',')}`);
  for (const key of numbers) if (rule[key] !== undefined) pairs.push(`${key}=${rule[key]}`);
  return pairs.join(' ');
}

/** Undefined where the rule is not of that form. */
export function parseRule(text: string): ChainRule | undefined {
  const pairs = text.split(/\s+/).filter((pair) => pair !== '');
  const fields: Record<string, string | undefined> = Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  const { destination, protocol = 'tcp', ports = '', ...rest } = fields;
  if (destination === undefined) return undefined;
  const bounds: Record<string, number> = {};
  for (const [key, value] of Object.entries(rest)) {
    if (!numbers.some((name) => name === key) || value === undefined || !Number.isFinite(Number(value)))
      return undefined;
    bounds[key] = Number(value);
  }
  return {
    address: destination,
    protocol,
    ports: ports
      .split(',')
      .filter((port) => port !== '')
      .map(Number),
    ...bounds,
  };
}
