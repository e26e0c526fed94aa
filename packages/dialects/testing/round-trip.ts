import { canonicalJson, errorCatalogue } from '@superfluidity/core';
import { deepFreeze, findBlock, splitPortReference, type Service } from '@superfluidity/model';
import fc from 'fast-check';
import { expect } from 'vitest';
import { readDescriptor, writeDescriptor } from '../descriptor.ts';
import type { Format } from '../dialect.ts';
import { dialects } from '../dialects.ts';
import { express } from '../express.ts';
import type { DescriptorFile } from '../files.ts';
import { services } from './services.ts';

export interface RoundTrip {
  /** Narrows the services to those of which everything expressible is written: what `lose` would report is not in them. */
  readonly among?: (service: Service) => Service;
  /** What reading adds or settles beside the meaning, taken away on both sides. */
  readonly normal?: (service: Service) => Service;
  readonly numRuns?: number;
}

/**
 * What was written and is read again is the service without what was reported as lost: nothing more is missing, and
 * nothing was made up.
 */
export function keepsMeaning(format: Format, { among = same, normal = same, numRuns = 30 }: RoundTrip = {}): void {
  const { expresses } = dialects.find((dialect) => dialect.format === format)!.writer!;
  fc.assert(
    fc.property(services, (any) => {
      const service = deepFreeze(among(any));
      const { files } = writeDescriptor(service, format);
      const read = readDescriptor(files);
      expect(read.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(read.format).toBe(format);
      const expected = express(service, format, expresses).service;
      expect(meaning(normal(read.service!))).toBe(meaning(normal(expected)));
    }),
    { numRuns },
  );
}

const same = <T>(value: T): T => value;

const meaning = (service: Service) => canonicalJson(withoutEmptyGroups(withPorts(service)));

/** `nested: {}` says nothing. */
function withoutEmptyGroups(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmptyGroups);
  if (value === null || typeof value !== 'object') return value;
  const fields = Object.entries(value).map(([name, inner]) => [name, withoutEmptyGroups(inner)] as const);
  const empty = (inner: unknown) => inner !== null && typeof inner === 'object' && Object.keys(inner).length === 0;
  return Object.fromEntries(fields.filter(([, inner]) => Array.isArray(inner) || !empty(inner)));
}

/** A hop without a port is at the first port of its unit: the same is said with and without. */
function withPorts(service: Service): Service {
  const hop = (reference: string) => {
    const { path, port = findBlock(service.block, path)?.ports[0]?.name } = splitPortReference(reference);
    return `${path}.${port ?? ''}`;
  };
  const chains = service.chains.map((chain) => ({
    ...chain,
    from: hop(chain.from),
    through: chain.through.map(hop),
    to: hop(chain.to),
  }));
  return { ...service, chains };
}

/** Whatever becomes of the files, the answer is problems with known codes, in bounded time. */
export function survivesDamage(files: readonly DescriptorFile[], numRuns = 40): void {
  const junk = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('~', '[]', '{}', '-1', ': ', '\n', '- ', '<', '"'),
  );
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  fc.assert(
    fc.property(fc.nat(files.length - 1), fc.nat(4000), fc.nat(40), junk, (which, at, length, replacement) => {
      const broken = files.map((file, i) => {
        if (i !== which) return file;
        const text = decoder.decode(file.bytes);
        const start = at % Math.max(1, text.length);
        const damaged = text.slice(0, start) + replacement + text.slice(start + length);
        return { path: file.path, bytes: encoder.encode(damaged) };
      });
      for (const { code } of readDescriptor(broken).problems) expect(errorCatalogue().has(code)).toBe(true);
    }),
    { numRuns },
  );
}
