import { seeded } from '@superfluidity/core';
import { describe, expect, test } from 'vitest';
import {
  beaconTimes,
  type Detector,
  DetectorStream,
  judge,
  type Observed,
  personTimes,
  readDetector,
  scoresOf,
  TenantDetectors,
  trainDetector,
} from './index.ts';

const REQUESTS = 200;
const values = (numbers: ArrayLike<number>): Observed => ({ kind: 'values', values: Float64Array.from(numbers) });
const names = (text: string): Observed => ({ kind: 'names', names: text.split(' ') });
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('bots that call home, by the times of their requests alone', () => {
  const random = seeded(21);
  const people = (count: number) => Array.from({ length: count }, () => values(personTimes(REQUESTS, random)));
  const options = { of: 'difference', quantiser: 'log', letters: 16, rate: 0.01 } as const;
  const detector = trainDetector(people(700), options);
  const alarms = (flows: readonly Observed[], by: Detector = detector) =>
    flows.filter((flow) => judge(by, scoresOf(by, flow)[0]!, REQUESTS).anomalous).length / flows.length;

  test('at most one person of 100 is taken for one', () => {
    expect(alarms(people(500))).toBeLessThanOrEqual(0.02);
  });

  test.each([0, 0.05, 0.1])('at least 95 of 100 are found with a jitter of %d', (jitter) => {
    const bots = Array.from({ length: 100 }, (_, i) => {
      const beacon = { periodMs: 30_000 * 2 ** (i % 5), jitter, missed: 0.05 };
      return values(beaconTimes(REQUESTS, beacon, random));
    });
    expect(alarms(bots)).toBeGreaterThanOrEqual(0.95);
  });

  test('JSON brings a detector back, and a stream says what the whole does', () => {
    const again = readDetector(JSON.parse(JSON.stringify(detector)));
    expect(again).toEqual(detector);
    const flow = personTimes(REQUESTS, random);
    const stream = new DetectorStream(again);
    for (const time of flow) expect(stream.push(time)).toBeUndefined();
    expect(stream.end()!.score).toBeCloseTo(scoresOf(detector, values(flow))[0]!, 9);
    expect(stream.end()).toBeUndefined();
  });
});

test('system calls in an order that never was are an anomaly, names that never were too', () => {
  const random = seeded(2);
  const trace = (order: readonly string[]) =>
    names(Array.from({ length: 60 }, (_, i) => (random() < 0.05 ? 'stat' : order[i % order.length])).join(' '));
  const detector = trainDetector(
    Array.from({ length: 400 }, () => trace(['open', 'read', 'read', 'close'])),
    { rate: 0.02 },
  );
  const anomalous = (each: Observed) => judge(detector, scoresOf(detector, each)[0]!, 60).anomalous;
  expect(anomalous(trace(['open', 'read', 'read', 'close']))).toBe(false);
  expect(anomalous(trace(['read', 'close', 'open', 'stat']))).toBe(true);
  expect(anomalous(trace(['open', 'read', 'execve', 'close']))).toBe(true);
  expect(() => scoresOf(detector, names('GET POST'))).toThrow(code('SF-DETECT-MODEL'));
  expect(() => scoresOf(detector, values([1, 2]))).toThrow(code('SF-DETECT-MODEL'));
});

test('what is more regular than usual is an anomaly where that is wanted, at the rate that was said', () => {
  const random = seeded(17);
  // Steps of one cycle, of which people leave out and repeat some, and programs none.
  const steps = (count: number, strays: number) =>
    values(Float64Array.from({ length: count }, (_, i) => (random() < strays ? Math.floor(random() * 4) : i % 4)));
  const options = { window: 40, letters: 4, rate: 0.02 };
  const learned = steps(40_000, 0.3);
  const detector = readDetector(JSON.parse(JSON.stringify(trainDetector([learned], { ...options, regular: 0.05 }))));
  const verdicts = (by: Detector, observed: Observed) => scoresOf(by, observed).map((score) => judge(by, score, 40));
  const found = verdicts(detector, steps(40_000, 0.3)).filter(({ regular }) => regular === true).length / 1_000;
  expect(found).toBeGreaterThan(0.02);
  expect(found).toBeLessThan(0.09);
  // Nothing in it is improbable, and that is what is strange.
  const exact = steps(4_000, 0);
  const stuck = verdicts(detector, exact).filter(({ regular }) => regular === true);
  expect(stuck.length).toBeGreaterThan(95);
  expect(stuck.every(({ anomalous }) => anomalous)).toBe(true);
  const oneSided = trainDetector([learned], options);
  expect(oneSided.regular).toBeUndefined();
  expect(verdicts(oneSided, exact).filter(({ anomalous }) => anomalous).length).toBeLessThan(5);
});

test('a series is judged window by window, against what is usual for the time', () => {
  const random = seeded(4);
  const minutes = 60_000;
  const day = 24 * 60 * minutes;
  const at = (i: number) => i * 10 * minutes;
  const usual = (i: number) => 200 + 100 * Math.sin((2 * Math.PI * at(i)) / day) + 20 * random();
  const times = Float64Array.from({ length: 144 * 30 }, (_, i) => at(i));
  const learned: Observed = { kind: 'values', values: Float64Array.from(times, (_, i) => usual(i)), times };
  const detector = trainDetector([learned], {
    season: { periodMs: day, slots: 48 },
    letters: 8,
    window: 12,
    rate: 0.02,
  });
  const stream = new DetectorStream(detector);
  const verdicts = (from: number, of: (i: number) => number) =>
    Array.from({ length: 144 }, (_, i) => stream.push(of(from + i), at(from + i))).filter((each) => each !== undefined);
  expect(verdicts(144 * 30, usual).filter(({ anomalous }) => anomalous).length).toBeLessThanOrEqual(1);
  // As much traffic at night as in the evening: no value that was never seen, but not at that time.
  expect(verdicts(144 * 31, () => 290 + 20 * random()).filter(({ anomalous }) => anomalous).length).toBeGreaterThan(5);
  expect(() => stream.push(1, 0)).toThrow(code('SF-DETECT-DATA'));
  expect(() => stream.push(1)).toThrow(code('SF-DETECT-DATA'));
});

describe('tenants', () => {
  const options = {
    detector: { window: 20, letters: 6, rate: 0.02, quantiser: 'k-means' },
    learn: 4_000,
    tenants: 3,
  } as const;

  test('each is learned by itself, and the one that was silent for longest is forgotten', () => {
    const random = seeded(9);
    const tenants = new TenantDetectors(options);
    const feed = (name: string, count: number, of: () => number) =>
      Array.from({ length: count }, () => tenants.push(name, of())).flat();
    const quiet = () => random() * random() * 10;
    expect(feed('a', 4_000, quiet).map(({ kind }) => kind)).toEqual(['learned']);
    feed('b', 4_000, () => 1_000 + 100 * random());
    const anomalies = (found: ReturnType<typeof feed>) =>
      found.filter((each) => each.kind === 'verdict' && each.verdict.anomalous).length / found.length;
    expect(anomalies(feed('a', 4_000, quiet))).toBeLessThan(0.06);
    expect(anomalies(feed('a', 400, () => 9 + random()))).toBeGreaterThan(0.9);
    for (const name of ['c', 'd', 'e']) tenants.push(name, 1);
    expect(tenants.size).toBe(3);
    // Forgotten: it has to be learned anew.
    expect(feed('a', 3_999, quiet)).toEqual([]);
  });

  test('what changed for good is found, and learned anew where that is wanted', () => {
    const random = seeded(13);
    const tenants = new TenantDetectors({ ...options, adapt: true });
    const kinds: string[] = [];
    const feed = (count: number, of: () => number) => {
      for (let i = 0; i < count; i += 1) {
        for (const found of tenants.push('a', of())) {
          if (found.kind !== 'verdict') kinds.push(found.kind);
          else if (found.verdict.anomalous) kinds.push('anomaly');
        }
      }
      return kinds.splice(0);
    };
    feed(4_000, () => 10 * random() * random());
    const later = feed(4_000, () => 6 + 4 * random());
    expect(later.filter((kind) => kind !== 'anomaly')).toEqual(['drift', 'learned']);
    expect(feed(2_000, () => 6 + 4 * random()).filter((kind) => kind === 'anomaly').length).toBeLessThan(60);
  });

  test('values that are all alike are nothing to learn from yet', () => {
    const tenants = new TenantDetectors(options);
    for (let i = 0; i < 9_000; i += 1) expect(tenants.push('a', 1)).toEqual([]);
  });
});

test.each([
  ['nothing', () => trainDetector([]), 'SF-DETECT-DATA'],
  ['a value that is no number', () => trainDetector([values([1, Number.NaN, 2])], { window: 1 }), 'SF-DETECT-DATA'],
  ['values that are all alike', () => trainDetector([values([1, 1, 1, 1])], { window: 1 }), 'SF-DETECT-DATA'],
  ['names and numbers', () => trainDetector([values([1, 2]), names('a b')], { window: 1 }), 'SF-DETECT-DATA'],
  ['too little for the rate', () => trainDetector([values([1, 2, 3, 4, 5, 6])], { window: 1 }), 'SF-DETECT-DATA'],
  [
    'times that go back',
    () =>
      trainDetector([{ kind: 'values', values: Float64Array.of(1, 2, 3, 4), times: Float64Array.of(1, 3, 2, 4) }], {
        window: 1,
        season: { periodMs: 10, slots: 2 },
      }),
    'SF-DETECT-DATA',
  ],
  ['letters without end', () => trainDetector([values([1, 2])], { window: 1, letters: 1e9 }), 'SF-DETECT-DATA'],
  [
    'more tenants than there is memory for',
    () => new TenantDetectors({ detector: { window: 1 }, learn: 1e9 }),
    'SF-DETECT-LIMIT',
  ],
  ['a model of something else', () => readDetector({ format: 'c45' }), 'SF-DETECT-MODEL'],
  [
    'a tree of another alphabet',
    () => {
      const made = trainDetector(
        Array.from({ length: 20 }, () => names('a b')),
        { rate: 0.5 },
      );
      readDetector({ ...made, lz78: { ...made.lz78, alphabet: 9 } });
    },
    'SF-DETECT-MODEL',
  ],
])('%s is refused', (_, act, expected) => {
  expect(act).toThrow(code(expected));
});
