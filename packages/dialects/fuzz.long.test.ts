import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readDescriptor, writeDescriptor } from './descriptor.ts';
import { dialects } from './dialects.ts';
import type { DescriptorFile } from './files.ts';
import { fuzzReader } from './testing/fuzz.ts';

/** Every reader for some seconds; `npm run fuzz` says for how much longer, and with which seed again. */
const seconds = Number(process.env['SUPERFLUIDITY_FUZZ_SECONDS'] ?? 10);
const seed = Number(process.env['SUPERFLUIDITY_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const here = fileURLToPath(new URL('.', import.meta.url));
const example = readFileSync(join(here, '../../examples/mobile-edge/service.yaml'));

describe.each(dialects.filter(({ read }) => read !== undefined))('$format', ({ format, writer }) => {
  test(
    `is read for ${seconds} s, whatever is broken (seed ${seed})`,
    () => {
      const { service } = readDescriptor([{ path: 'service.yaml', bytes: example }]);
      const written = writer === undefined ? [] : [writeDescriptor(service!, format).files];
      const corpus = [...goldenPackages(format), ...written].filter((files) => files.length > 0);
      expect(corpus).not.toEqual([]);
      const { packages } = fuzzReader(corpus, seconds * 1_000, seed);
      expect(packages).toBeGreaterThan(seconds);
    },
    seconds * 1_000 + 60_000,
  );
});

/** Each file of the golden folder, and each folder in it as a package. */
function goldenPackages(format: string): readonly (readonly DescriptorFile[])[] {
  const folder = join(here, format, 'golden');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const at = join(folder, entry.name);
    if (entry.isFile()) return [{ path: entry.name, bytes: readFileSync(at) }];
    const inside = readdirSync(at, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    return inside.map((one) => ({ path: one.name, bytes: readFileSync(join(one.parentPath, one.name)) }));
  });
}
