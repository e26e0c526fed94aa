import { SuperfluidityError } from '@superfluidity/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { looksLikeNeutron, readNeutron } from './neutron.ts';

const dump = `{
 "networks": [
  {"id": "n1", "name": "net", "admin_state_up": true,
   "provider:segmentation_id": 7,
   "mtu": 1450}
 ],
 "subnets": [{"id": "s1", "network_id": "n1", "cidr": "10.0.0.0/24", "gateway_ip": null, "dns_nameservers": []}],
 "security_groups": [
  {
   "id": "g1", "name": "web",
   "security_group_rules": [
    {"id": "r1", "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp",
     "port_range_min": 80,
     "port_range_max": 90, "remote_ip_prefix": "198.51.100.0/24"},
    {"id": "r2", "direction": "egress", "ethertype": "IPv6", "protocol": "icmp", "port_range_min": 128}
   ]
  }
 ]
}
`;

const read = (text: string) => readNeutron({ path: 'dump.json', text });

function failure(text: string): string {
  try {
    read(text);
  } catch (error) {
    expect(error).toBeInstanceOf(SuperfluidityError);
    expect((error as SuperfluidityError).code).toMatch(/^SF-VERIFY-(?:INPUT|LIMIT)$/);
    return (error as SuperfluidityError).message;
  }
  return '';
}

describe('the reader of the Neutron API', () => {
  it('reads objects with the lines on which they stand', () => {
    expect(looksLikeNeutron(dump)).toBe(true);
    const { value, reading } = read(dump);
    expect(value.networks).toMatchObject([{ id: 'n1', name: 'net', up: true, external: false, mtu: 1_450 }]);
    expect(value.subnets).toMatchObject([{ cidr: { family: 'ip', address: 0x0a00_0000n, length: 24 } }]);
    const [group] = value.securityGroups;
    expect(group!.rules).toMatchObject([
      { direction: 'ingress', protocol: 6, ports: [80n, 90n], source: { file: 'dump.json', line: 12 } },
      { direction: 'egress', family: 'ip6', protocol: 58, icmp: { type: 128 } },
    ]);
    expect(reading.lines).toEqual({ blank: 1, used: 18, 'without effect': 1, 'not understood': 0 });
    expect(reading.remarks.find(({ line }) => line === 4)?.why).toContain('provider:segmentation_id: where it is');
  });

  it('says which attribute it does not understand, and where', () => {
    const { reading } = read(dump.replace('"mtu": 1450', '"colour": "red"'));
    expect(reading.remarks.filter(({ fate }) => fate === 'not understood')).toEqual([
      { line: 5, fate: 'not understood', why: 'colour of a network' },
    ]);
  });

  it('refuses what is wrong, with its line', () => {
    expect(failure(dump.replace('"port_range_min": 80', '"port_range_min": 95'))).toContain(
      'dump.json:13: port_range_min',
    );
    expect(failure(dump.replace('10.0.0.0/24', '10.0.0.0/33'))).toContain('dump.json:7: cidr');
    expect(failure(dump.replace('"ingress"', '"inwards"'))).toContain('dump.json:12: direction');
    expect(failure(dump.slice(0, 100))).toContain('dump.json:');
  });

  it('fails with a code, or not at all, whatever it is given', () => {
    const edits = fc.array(
      fc.record({
        at: fc.nat({ max: dump.length }),
        drop: fc.nat({ max: 12 }),
        put: fc.oneof(fc.constantFrom('{', '}', '[', ']', ',', ':', '"', 'null', '-1', '1e9', '\\'), fc.string()),
      }),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(edits, (all) => {
        const text = all.reduce((old, { at, drop, put }) => old.slice(0, at) + put + old.slice(at + drop), dump);
        failure(text);
      }),
      { numRuns: 1_000 },
    );
    fc.assert(fc.property(fc.jsonValue(), (value) => void failure(JSON.stringify({ ports: [value], routers: value }))));
  });
});
