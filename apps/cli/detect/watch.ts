import { type Detector, detectLimits, DetectorStream, DriftWatch, type Verdict } from '@superfluidity/observe/detect';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { readRows, type RowOptions } from './rows.ts';
import { loadDetector } from './score.ts';

interface WatchOptions extends RowOptions {
  readonly all?: boolean;
  readonly drift?: boolean;
}

/** Things are watched beside each other; above the bound the one that was silent for longest ends. */
export async function watch(context: Context, file: string, input: string, options: WatchOptions): Promise<void> {
  const detector: Detector = await loadDetector(file);
  const streams = new Map<string, DetectorStream>();
  // Where each sequence is judged once, at its end, what changes is all of them together.
  const drifts = new Map<string, DriftWatch>();
  const say = (key: string, line: number, verdict: Verdict | undefined) => {
    if (verdict === undefined) return;
    if (options.drift === true) sayDrift(detector.window === undefined ? 'all' : key, line, verdict);
    if (verdict.anomalous) process.exitCode = exitCodes.failed;
    else if (options.all !== true) return;
    if (context.options.output === 'json') context.say(JSON.stringify({ key, line, ...verdict }));
    else {
      const { score, p, anomalous, regular } = verdict;
      const name = anomalous ? context.style.red('anomaly') : 'normal ';
      const how = regular === true ? '  more regular than usual' : '';
      context.say(`${name}  ${key}  line ${line}  ${score.toFixed(4)} bits a letter  p ${p.toPrecision(2)}${how}`);
    }
  };
  const sayDrift = (key: string, line: number, { p }: Verdict) => {
    const drift = drifts.get(key) ?? new DriftWatch();
    drifts.set(key, drift);
    if (!drift.push(p)) return;
    process.exitCode = exitCodes.failed;
    if (context.options.output === 'json') context.say(JSON.stringify({ key, line, drift: true }));
    else
      context.say(`${context.style.red('drift')}    ${key}  line ${line}  what is normal has changed: train it anew`);
  };
  const end = (key: string, line: number) => {
    say(key, line, streams.get(key)?.end());
    streams.delete(key);
    if (detector.window !== undefined) drifts.delete(key);
  };
  let line = 0;
  let before: string | undefined;
  for await (const row of readRows(input, options)) {
    // Of lines each is a sequence, and over when the next one begins.
    if (detector.window === undefined && options.by === undefined && before !== undefined && before !== row.key)
      end(before, line);
    ({ line } = row);
    before = row.key;
    const stream = streams.get(row.key) ?? new DetectorStream(detector);
    streams.delete(row.key);
    streams.set(row.key, stream);
    if (streams.size > detectLimits.tenants) end(streams.keys().next().value!, line);
    say(row.key, line, stream.push(row.value, row.time));
  }
  for (const key of streams.keys()) end(key, line);
}
