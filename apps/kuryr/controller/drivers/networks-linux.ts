import { SuperfluidityError } from '@superfluidity/core';
import { prefixOf } from '@superfluidity/fabric';
import {
  formatIpv4Prefix,
  type Ipv4Prefix,
  parseIpv4Prefix,
  prefixesOverlap,
  prefixSize,
  subPrefix,
} from '@superfluidity/model';
import '../errors.ts';
import { linuxNetwork } from './subnets.ts';
import type { NetworkDriver } from './types.ts';

/** Each namespace gets a part of the prefix of all pods. */
export function linuxNetworks(options: {
  readonly cidr: string;
  readonly namespaceLength: number;
  readonly mtu: number;
}): NetworkDriver {
  const whole = prefixOf(options.cidr);
  const length = Math.max(whole.length, options.namespaceLength);
  const parts = prefixSize(whole.length) / prefixSize(length);
  /** Promised, and not written down yet: by uid. */
  const promised = new Map<string, string>();
  return {
    ensure: async ({ metadata, spec }, taken) => {
      const uid = metadata.uid ?? '';
      const others = [...promised].flatMap(([of, cidr]) => (of === uid ? [] : [cidr]));
      const used = [...taken, ...others].flatMap((one) => parseIpv4Prefix(one) ?? []);
      const cidr = promised.get(uid) ?? firstFree(whole, length, parts, used);
      if (cidr === undefined)
        throw new SuperfluidityError('SF-KURYR-ADDRESSES', {
          doing: `make the network of namespace ${spec.namespace}`,
          reason: `${options.cidr} has ${parts} prefixes of length ${length}, which are all in use`,
        });
      promised.set(uid, cidr);
      const { networkId, subnetId, gateway, mtu } = linuxNetwork(cidr, options.mtu, undefined);
      return { networkId, subnetId, cidr, ...(gateway === undefined ? {} : { gateway }), mtu };
    },
    remove: async ({ metadata }) => {
      promised.delete(metadata.uid ?? '');
    },
  };
}

function firstFree(whole: Ipv4Prefix, length: number, parts: number, used: readonly Ipv4Prefix[]): string | undefined {
  const taken = new Set(used.filter((one) => one.length === length).map(({ base }) => base));
  const others = used.filter((one) => one.length !== length);
  for (let at = 0; at < parts; at += 1) {
    const one = subPrefix(whole, length, at);
    if (!taken.has(one.base) && !others.some((other) => prefixesOverlap(one, other))) return formatIpv4Prefix(one);
  }
  return undefined;
}
