import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readDescriptor } from './descriptor.ts';
import { fixProblems } from './fix.ts';

const sound = readFileSync(new URL('../../examples/mobile-edge/service.yaml', import.meta.url), 'utf8');

/** Fixes until nothing more can be: a reader stops at the first kind of mistake. */
function repair(text: string): { text: string; fixes: string[] } {
  const fixes: string[] = [];
  let file = { path: 'service.yaml', bytes: new TextEncoder().encode(text) };
  for (let round = 0; round < 5; round += 1) {
    const fixed = fixProblems([file], readDescriptor([file]).problems);
    if (fixed.fixes.length === 0) break;
    fixes.push(...fixed.fixes.map(({ from, to }) => `${from} -> ${to}`));
    file = fixed.files[0] as typeof file;
  }
  return { text: new TextDecoder().decode(file.bytes), fixes };
}

test.each([
  ['a field', 'forwards: true', 'forward: true', 'forward -> forwards'],
  ['an environment', 'environment: nft', 'environment: ntf', 'ntf -> nft'],
  [
    'a network',
    '- {name: sgi, prefix: 10.47.0.0/16}',
    '- {name: sgi, prefix: 10.47.0.1/16}',
    '10.47.0.1/16 -> 10.47.0.0/16',
  ],
  ['a unit of a chain', 'through: [radio/rrh, radio/bbu,', 'through: [radio/rrh, radio/bub,', 'radio/bub -> radio/bbu'],
  ['text that looks like a number', 'version: "1.0"', 'version: 1.0', '1.0 -> "1.0"'],
])('%s that is a slip is put right', (_name, right, wrong, fix) => {
  expect(sound).toContain(right);
  const broken = sound.replace(right, wrong);
  const repaired = repair(broken);
  expect(repaired.fixes).toEqual([fix]);
  expect(repaired.text).toBe(sound);
});

test('several in one file, and what cannot be guessed stays', () => {
  const broken = sound
    .replace('environment: nft', 'environment: ntf')
    .replace('ports: [users]', 'ports: [nowhere-at-all]')
    .replace('drain: SIGTERM', 'drian: SIGTERM');
  const repaired = repair(broken);
  expect(repaired.fixes.toSorted()).toEqual(['drian -> drain', 'ntf -> nft']);
  expect(repaired.text).toContain('nowhere-at-all');
});
