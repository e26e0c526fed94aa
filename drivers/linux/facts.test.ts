import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@superfluidity/core';
import {
  hostPrefix,
  LeaseFile,
  portMac,
  portSid,
  readConnection,
  Records,
  routerSid,
  scopeOf,
} from '@superfluidity/router';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { flowsText } from './balancers.ts';
import { readConfig } from './config.ts';
import { readOutputFile } from './output.ts';

const coded = (code: string) => expect.objectContaining({ code });
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'superfluidity-facts-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('records', () => {
  test('are what was put last, also for who reads them anew, whatever the ids', () => {
    const changes = fc.array(fc.tuple(fc.string({ maxLength: 8 }), fc.option(fc.jsonValue())), { maxLength: 20 });
    fc.assert(
      fc.property(changes, (list) => {
        const inner = mkdtempSync(join(folder, 'run-'));
        const records = new Records<unknown>(inner, silentLogger);
        const expected = new Map<string, unknown>();
        for (const [id, value] of list) {
          if (value === null) {
            records.delete(id);
            expected.delete(id);
          } else {
            records.put(id, value);
            expected.set(id, JSON.parse(JSON.stringify(value)));
          }
        }
        const again = new Map(new Records<unknown>(inner, silentLogger).entries());
        expect(again).toEqual(expected);
        expect(readdirSync(inner).every((name) => /^[0-9a-z]+\.json$/.test(name))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('pass over what they cannot read', () => {
    new Records<number>(folder, silentLogger).put('a', 1);
    writeFileSync(join(folder, 'broken.json'), '{');
    expect(new Records<number>(folder, silentLogger).entries()).toEqual([['a', 1]]);
  });
});

describe('the lease', () => {
  test('goes to the highest fence, and tells who has to read anew', () => {
    const scope = { ...scopeOf('site-x'), folder };
    const [first, second] = [new LeaseFile('x', scope), new LeaseFile('x', scope)];
    expect(first.claim({ key: 'k', fence: 1 })).toBe(false);
    expect(first.claim({ key: 'k', fence: 1 })).toBe(true);
    expect(second.claim({ key: 'k', fence: 2 })).toBe(false);
    expect(first.mine).toBe(false);
    expect(() => first.claim({ key: 'k', fence: 1 })).toThrow(coded('SF-SITE-FENCED'));
    expect(first.claim({ key: 'k', fence: 3 })).toBe(false);
    rmSync(join(folder, 'lease.json'));
    expect(() => first.claim({ key: 'k', fence: 2 })).toThrow(coded('SF-SITE-FENCED'));
  });
});

describe('names and numbers', () => {
  test('of sites, hosts and ports are well-formed and lie in the locator', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(63), fc.nat(9), (site, slot, host, port) => {
        const scope = scopeOf(site);
        expect(scope.prefix).toMatch(/^sf-[0-9a-z]{10}-$/);
        const sid = portSid(scope, host, slot, port);
        expect(isIPv6(sid) && isIPv6(routerSid(scope))).toBe(true);
        expect(sid.startsWith(hostPrefix(scope, host).replace('::/64', ':'))).toBe(true);
        expect(Number.parseInt(portMac(slot, port).slice(0, 2), 16) & 3).toBe(2);
      }),
    );
  });
});

describe('output', () => {
  test('read piece by piece is all of it, in whole lines', () => {
    const path = join(folder, 'output.log');
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-zäß ]{0,12}$/), { minLength: 1, maxLength: 30 }), (lines) => {
        writeFileSync(path, '');
        const seen: string[] = [];
        let next = 0;
        for (const line of lines) {
          appendFileSync(path, `${line}\nhalf`);
          const part = readOutputFile(path, next);
          seen.push(...part.lines);
          next = part.next;
        }
        const expected = lines.map((line, i) => (i === 0 ? line : `half${line}`));
        expect(seen).toEqual(expected);
      }),
      { numRuns: 50 },
    );
    expect(readOutputFile(join(folder, 'absent'), 7)).toEqual({ lines: [], next: 7 });
  });
});

describe('connections', () => {
  test('are read from the lines of the kernel and of conntrack', () => {
    const kernel =
      'ipv4     2 tcp      6 431999 ESTABLISHED src=10.1.0.11 dst=10.99.0.1 sport=5 dport=80 src=10.99.0.1 dst=10.1.0.11 sport=80 dport=5 [ASSURED] mark=5 zone=0 use=2';
    expect(readConnection(kernel)).toEqual({ source: '10.1.0.11', mark: 5, useful: true });
    const tool =
      'tcp      6 119 TIME_WAIT src=10.1.0.11 dst=10.99.0.1 sport=5 dport=80 src=10.99.0.1 dst=10.1.0.11 sport=80 dport=5 [ASSURED] mark=7 use=1';
    expect(readConnection(tool)).toEqual({ source: '10.1.0.11', mark: 7, useful: false });
    const udp =
      'udp      17 29 src=10.1.0.11 dst=10.99.0.1 sport=5 dport=53 [UNREPLIED] src=10.99.0.1 dst=10.1.0.11 sport=53 dport=5 mark=9 use=1';
    expect(readConnection(udp)).toEqual({ source: '10.1.0.11', mark: 9, useful: true });
    expect(readConnection('')).toBeUndefined();
  });
});

describe('configuration', () => {
  test('is refused with the place of the mistake', () => {
    expect(readConfig('x', {})).toMatchObject({ hosts: [{ name: 'h1' }], reachable: false });
    for (const wrong of [
      { hosts: [] },
      { hosts: [{ name: '../x' }] },
      { host: 1 },
      { hosts: [{ name: 'a' }, { name: 'a' }] },
    ]) {
      expect(() => readConfig('x', wrong)).toThrow(coded('SF-SITE-CONFIG'));
    }
  });
});

test('a balancer without open members refuses new flows', () => {
  const spec = {
    id: 'b',
    service: 's',
    name: 'n',
    network: 'net',
    address: '10.0.0.9',
    port: 80,
    layer: 'tcp',
  } as const;
  const member = { address: '10.0.0.2', port: 8080, draining: false };
  expect(flowsText({ ...spec, members: [member] })).toContain('map { 0 : 10.0.0.2 . 8080 }');
  expect(flowsText({ ...spec, members: [{ ...member, draining: true }] })).toContain('reject with tcp reset');
});
