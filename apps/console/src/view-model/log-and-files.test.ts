import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appended, emptyLog, linesWith, LOG_LIMITS } from './log-buffer.ts';
import { readablePacket, readableValue } from './packet.ts';
import { descriptorFirst, FILE_LIMITS, refusedFiles, toBase64 } from './read-files.ts';
import { windowOf } from './window.ts';

describe('a log', () => {
  it('keeps the last lines, and knows how many went before', () => {
    let log = emptyLog;
    for (let batch = 0; batch < 6; batch += 1)
      log = appended(
        log,
        Array.from({ length: 10_000 }, (_, i) => `line ${batch * 10_000 + i}`),
        (batch + 1) * 10_000,
      );
    expect(log.lines).toHaveLength(LOG_LIMITS.linesKept);
    expect(log.from).toBe(10_000);
    expect([log.lines[0], log.lines.at(-1)]).toEqual(['line 10000', 'line 59999']);
    expect(linesWith(log, 'LINE 59998').map((i) => log.lines[i])).toEqual(['line 59998']);
    expect(appended(log, [], log.next)).toBe(log);
  });

  it('cuts lines that nobody could read', () => {
    const [line] = appended(emptyLog, ['x'.repeat(1_000_000)], 1).lines;
    expect(line!.length).toBeLessThan(LOG_LIMITS.lineLength + 40);
    expect(line).toContain('1000000 characters');
  });
});

describe('a log of long lines', () => {
  it('is bounded by its characters too', () => {
    let log = emptyLog;
    const wide = Array.from({ length: 1_000 }, (_, i) => `${i} ${'y'.repeat(LOG_LIMITS.lineLength - 10)}`);
    for (let batch = 1; batch <= 12; batch += 1) log = appended(log, wide, batch);
    const characters = log.lines.reduce((sum, line) => sum + line.length, 0);
    expect(log.size).toBe(characters);
    expect(characters).toBeLessThanOrEqual(LOG_LIMITS.charactersKept);
    expect(characters).toBeGreaterThan(LOG_LIMITS.charactersKept - 2 * LOG_LIMITS.lineLength);
    expect(log.from + log.lines.length).toBe(12_000);
  });
});

describe('rows that are drawn', () => {
  it('cover what is seen, and little more', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.integer({ min: 1, max: 2_000 }), fc.nat(200_000), (top, height, count) => {
        const { first, last } = windowOf({ top, height }, 41, count);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(last).toBeLessThanOrEqual(count);
        expect(last - first).toBeLessThan(height / 41 + 22);
        const seen = Math.min(count - 1, Math.floor(top / 41));
        if (top < count * 41 && count > 0) expect(seen >= first && seen < last).toBe(true);
      }),
    );
  });
});

describe('a packet', () => {
  it('has addresses as people write them', () => {
    expect(readableValue('ipv4.src', '167772161')).toBe('10.0.0.1');
    expect(readableValue('ip.dst', '4294967295')).toBe('255.255.255.255');
    expect(readableValue('ethernet.src', '2199023255555')).toBe('02:00:00:00:00:03');
    expect(readableValue('ipv6.dst', String((0xfd00n << 112n) | 1n))).toBe('fd00::1');
    expect(readableValue('ipv6.dst', '1')).toBe('::1');
    expect(readableValue('ipv6.dst', '0')).toBe('::');
    expect(readableValue('tcp.dport', '443')).toBe('443');
    expect(readableValue('ipv4.src', '99999999999999')).toBe('99999999999999');
  });

  it('shows what was changed on the way, and what came or went', () => {
    const [sent, arrived] = [
      { 'TCP.dport': '1', x: '2', 'IPv4.ihl': '5', 'IPv4.id': '0', 'IPv4.length': '40' },
      { 'TCP.dport': '1', y: '3', 'IPv4.ihl': '5', 'IPv4.id': '0', 'IPv4.length': '60' },
    ];
    expect(readablePacket(sent!, arrived!)).toEqual([
      { field: 'TCP.dport', sent: '1', arrived: '1' },
      { field: 'x', sent: '2', arrived: '–' },
      { field: 'IPv4.length', sent: '40', arrived: '60' },
      { field: 'y', sent: '–', arrived: '3' },
    ]);
  });
});

describe('files that were dropped', () => {
  const names = (...paths: string[]) => descriptorFirst(paths.map((path) => ({ path }))).map(({ path }) => path);

  it('are sent with the descriptor first', () => {
    expect(names('app/start.sh', 'rules.nft', 'service.yaml')[0]).toBe('service.yaml');
    expect(names('deep/er/service.yaml', 'nsd.yaml')[0]).toBe('nsd.yaml');
    expect(names('readme.txt', 'package.csar')[0]).toBe('package.csar');
  });

  it('are bounded', () => {
    expect(refusedFiles([])).toContain('No file');
    expect(refusedFiles([{ path: 'a', size: FILE_LIMITS.bytes + 1 }])).toContain('a has');
    expect(refusedFiles([{ path: 'a', size: 1 }])).toBeUndefined();
  });

  it('are told in base64', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      }),
      { numRuns: 30 },
    );
  });
});
