import { type Detector, detectLimits, DetectorStream, type Verdict } from '@superfluidity/observe/detect';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { readRows, type RowOptions } from './rows.ts';
import { loadDetector } from './score.ts';

interface WatchOptions extends RowOptions {
  readonly all?: boolean;
}

/** Things are watched beside each other; above the bound the one that was silent for longest ends. */
export async function watch(context: Context, file: string, input: string, options: WatchOptions): Promise<void> {
  const detector: Detector = await loadDetector(file);
  const streams = new Map<string, DetectorStream>();
  const say = (key: string, line: number, verdict: Verdict | undefined) => {
    if (verdict === undefined) return;
    if (verdict.anomalous) process.exitCode = exitCodes.failed;
    else if (options.all !== true) return;
    if (context.options.output === 'json') context.say(JSON.stringify({ key, line, ...verdict }));
    else {
      const { score, p, anomalous } = verdict;
      const name = anomalous ? context.style.red('anomaly') : 'normal ';
      context.say(`${name}  ${key}  line ${line}  ${score.toFixed(4)} bits a letter  p ${p.toPrecision(2)}`);
    }
  };
  const end = (key: string, line: number) => {
    say(key, line, streams.get(key)?.end());
    streams.delete(key);
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
