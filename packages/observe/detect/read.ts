import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import { readLz78 } from '@superfluidity/learn';
import { z } from 'zod';
import type { Detector } from './detector.ts';
import { detectLimits } from './errors.ts';
import { lettersIn } from './input.ts';

const number = z.number();
const ascending = (cuts: readonly number[]) => cuts.every((cut, k) => k === 0 || cut >= cuts[k - 1]!);
const season = z
  .object({
    periodMs: number.positive(),
    centres: z.array(number).min(1).max(detectLimits.slots),
    spreads: z.array(number.positive()).min(1).max(detectLimits.slots),
  })
  .refine(({ centres, spreads }) => centres.length === spreads.length, 'centres and spreads are not as many');
const quantiser = z.object({
  method: z.enum(['log', 'quantile', 'k-means']),
  cuts: z.array(number).min(1).max(detectLimits.letters).refine(ascending, 'cuts are not ascending'),
});
const shape = z.object({
  format: z.literal('anomaly-detector'),
  version: z.literal(1),
  input: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('names'), names: z.array(z.string()).min(1).max(detectLimits.names) }),
    z.object({
      kind: z.literal('values'),
      of: z.enum(['value', 'difference']),
      season: season.optional(),
      quantiser,
    }),
  ]),
  window: z.int().min(1).max(detectLimits.window).optional(),
  gamma: number.positive().optional(),
  threshold: z.object({
    method: z.enum(['conformal', 'extreme']),
    rate: number.gt(0).lt(1),
    value: number,
    tail: z.object({ from: number, part: number, shape: number, scale: number }).optional(),
  }),
  regular: z.object({ rate: number.gt(0).lt(1), value: number }).optional(),
  scores: z.array(number).min(1).max(detectLimits.scores).refine(ascending, 'scores are not ascending'),
});

/** A detector from JSON that was parsed. Rejects with SF-DETECT-MODEL. */
export function readDetector(value: unknown): Detector {
  const fail = (reason: string, cause?: unknown) =>
    new SuperfluidityError('SF-DETECT-MODEL', { doing: 'read a detector', reason, cause });
  const parsed = shape.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw fail(`${issue!.path.join('.') || 'the detector'}: ${issue!.message}`);
  }
  try {
    const lz78 = readLz78((value as { lz78?: unknown }).lz78);
    const detector = { ...parsed.data, lz78 } as Detector;
    const letters = lettersIn(detector.input);
    if (lz78.alphabet !== letters) throw fail(`its tree is of ${lz78.alphabet} letters, its input of ${letters}`);
    return detector;
  } catch (cause) {
    if (isSuperfluidityError(cause, 'SF-LEARN-MODEL')) throw fail(cause.details.reason, cause);
    throw cause;
  }
}
