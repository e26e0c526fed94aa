import { errorCatalogue } from '@superfluidity/core';
import { readDescriptor } from '../descriptor.ts';
import type { DescriptorFile } from '../files.ts';

/** More processor time than this for one package of some kilobytes is a hole. */
const READ_MS_MAX = 5_000;
/** Pieces that parsers stumble over, of all the languages that are read. */
const PIECES = [
  ...Array.from('{}[]()<>"\'`\\|\t\r\0\u{FEFF}\u{202E}~%;,#'),
  ...'&a |*a |!!js/function |!!binary |<<: |---\n|...\n|null|NaN|.inf|-1|1e999|0x'.split('|'),
  ...'<!DOCTYPE x [<!ENTITY a "&a;&a;">]>|&amp;|<![CDATA[|]]>|<?|${|{{|../../|file:///|__proto__|constructor'.split(
    '|',
  ),
  ...'/*|*/|//|->|::|elementclass|require(|CREATE |NodeModel '.split('|'),
  '9'.repeat(400),
];

export interface Fuzzed {
  readonly packages: number;
  /** Processor time that reading and breaking took. */
  readonly cpuMs: number;
  readonly slowestMs: number;
}

/**
 * Reads damaged packages for that much processor time: never an exception, never a code that the catalogue does not know, never longer than
 * some seconds. The same seed breaks the same things.
 */
export function fuzzReader(corpus: readonly (readonly DescriptorFile[])[], cpuMs: number, seed: number): Fuzzed {
  const random = generator(seed);
  const known = errorCatalogue();
  const start = process.threadCpuUsage();
  let spentMs = 0;
  let packages = 0;
  let slowestMs = 0;
  do {
    const files = damaged(corpus[random(corpus.length)]!, random);
    const begin = process.threadCpuUsage();
    const { problems, service } = guarded(files, seed, packages);
    slowestMs = Math.max(slowestMs, cpuMsSince(begin));
    if (slowestMs > READ_MS_MAX) throw new Error(`seed ${seed}, package ${packages}: took ${slowestMs} ms`);
    const unknown = problems.find(({ code }) => !known.has(code));
    if (unknown !== undefined) throw new Error(`seed ${seed}, package ${packages}: unknown code ${unknown.code}`);
    if (service === undefined && problems.length === 0) throw new Error(`seed ${seed}, package ${packages}: no answer`);
    packages += 1;
    spentMs = cpuMsSince(start);
  } while (spentMs < cpuMs);
  return { packages, slowestMs, cpuMs: spentMs };
}

function cpuMsSince(begin: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(begin);
  return (user + system) / 1_000;
}

function guarded(files: readonly DescriptorFile[], seed: number, number: number) {
  try {
    return readDescriptor(files);
  } catch (cause) {
    const shown = files.map(
      ({ path, bytes }) => `${path}: ${JSON.stringify(new TextDecoder().decode(bytes).slice(0, 2_000))}`,
    );
    throw new Error(`seed ${seed}, package ${number}: thrown instead of reported, of\n${shown.join('\n')}`, { cause });
  }
}

type Random = (below: number) => number;

/** Mulberry32: small, and the same everywhere. */
function generator(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, below);
  };
}

/** One file of the package with one to eight wounds. */
function damaged(files: readonly DescriptorFile[], random: Random): readonly DescriptorFile[] {
  const which = random(files.length);
  return files.map((file, i) => {
    if (i !== which) return file;
    let bytes: Uint8Array = file.bytes;
    for (let wounds = 1 + random(8); wounds > 0; wounds -= 1) bytes = wounded(bytes, random);
    return { path: file.path, bytes };
  });
}

function wounded(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random(bytes.length + 1);
  const length = random(random(4) === 0 ? 2_000 : 20);
  const piece = new TextEncoder().encode(PIECES[random(PIECES.length)]!);
  const part = bytes.subarray(random(bytes.length + 1)).subarray(0, length);
  switch (random(7)) {
    case 0:
      return join(bytes.subarray(0, at), piece, bytes.subarray(at));
    case 1:
      return join(bytes.subarray(0, at), piece, bytes.subarray(at + length));
    case 2:
      return join(bytes.subarray(0, at), bytes.subarray(at + length));
    case 3:
      return join(bytes.subarray(0, at), part, bytes.subarray(at));
    case 4:
      return join(bytes.subarray(0, at), Uint8Array.of(random(256)), bytes.subarray(at + 1));
    case 5:
      return bytes.subarray(0, at);
    default:
      return join(bytes.subarray(0, at), ...Array.from({ length: 1 + random(200) }, () => piece), bytes.subarray(at));
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
