/** Fields of a packet as people write them. The API gives every value as a decimal number, see `VerificationReport`. */
export interface PacketField {
  readonly field: string;
  readonly sent: string;
  readonly arrived: string;
}

type Values = Readonly<Record<string, string>>;

export function readablePacket(sent: Values, arrived: Values): readonly PacketField[] {
  const names = Object.keys({ ...sent, ...arrived }).filter((field) => telling(field, sent[field], arrived[field]));
  return names.map((field) => ({
    field,
    sent: sent[field] === undefined ? '–' : readableValue(field, sent[field]),
    arrived: arrived[field] === undefined ? '–' : readableValue(field, arrived[field]),
  }));
}

/** Not the fields that are 0, and not those that every packet has alike, unless they change on the way. */
function telling(field: string, sent: string | undefined, arrived: string | undefined): boolean {
  if (sent !== arrived) return true;
  return sent !== '0' && !/\.(?:version|ihl|dataOffset|length|checksum|window)$/i.test(field);
}

export function readableValue(field: string, value: string): string {
  if (!/^\d+$/.test(value)) return value;
  if (/^(?:\w+\.)*(?:ipv?4|ip)\.(?:src|dst)/i.test(field)) return ipv4(BigInt(value)) ?? value;
  if (/ipv?6\.(?:src|dst)/i.test(field)) return ipv6(BigInt(value)) ?? value;
  if (/(?:^|\.)(?:eth|ethernet)\.(?:src|dst)/i.test(field)) return mac(BigInt(value)) ?? value;
  return value;
}

function ipv4(value: bigint): string | undefined {
  if (value >= 1n << 32n) return undefined;
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');
}

/** RFC 5952: the first of the longest runs of zeros is left out, where there are two or more. */
function ipv6(value: bigint): string | undefined {
  if (value >= 1n << 128n) return undefined;
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  let best = { from: 0, length: 1 };
  for (let from = 0; from < 8; from += 1) {
    const end = groups.findIndex((group, i) => i >= from && group !== '0');
    const length = (end === -1 ? 8 : end) - from;
    if (length > best.length) best = { from, length };
  }
  if (best.length < 2) return groups.join(':');
  return `${groups.slice(0, best.from).join(':')}::${groups.slice(best.from + best.length).join(':')}`;
}

function mac(value: bigint): string | undefined {
  if (value >= 1n << 48n) return undefined;
  return value.toString(16).padStart(12, '0').match(/../g)!.join(':');
}
