import { addressOf, prefixOf } from '@superfluidity/fabric';
import { lastAddress } from '@superfluidity/model';
import { type Condition, constant, type Expr, field, fieldIs, protocols, read, within } from '@superfluidity/verify';

/** Conditions on packets of IPv4, from what specifications say in text. */
export const source = field('IPv4.src');
export const destination = field('IPv4.dst');

export const numberOf = (address: string): bigint => BigInt(addressOf(address));
export const addressConstant = (address: string): Expr => constant(numberOf(address), 32);

export function rangeOf(text: string): readonly [low: bigint, high: bigint] {
  if (!text.includes('/')) return [numberOf(text), numberOf(text)];
  const prefix = prefixOf(text);
  return [BigInt(prefix.base), BigInt(lastAddress(prefix))];
}

export const inPrefix = (at: Expr, prefix: string): Condition => within(at, [rangeOf(prefix)]);

export function isOneOf(at: Expr, addresses: readonly string[]): Condition {
  const numbers = [...new Set(addresses.map(numberOf))].sort((a, b) => (a < b ? -1 : 1));
  return within(
    at,
    numbers.map((number) => [number, number] as const),
  );
}

export const isProtocol = (name: 'tcp' | 'udp' | 'icmp'): Condition => fieldIs('IPv4.proto', protocols[name]);

/** TCP and UDP have their ports at the same place. */
export const sourcePort = field('TCP.sport');
export const destinationPort = field('TCP.dport');

export function portsAre(at: typeof sourcePort, ports: readonly number[]): Condition {
  const sorted = [...new Set(ports)].sort((a, b) => a - b);
  return within(
    read(at),
    sorted.map((port) => [BigInt(port), BigInt(port)] as const),
  );
}
