import { forgetPeak, peakMiB } from '../memory.ts';
import { cases, type Sizes } from './cases.ts';
import type { AlgorithmRow } from './report.ts';

/**
 * One case in a process of its own: `measure.ts CASE SIZES`. Prints one line of JSON. The peak of memory of a row is that since the
 * row before, with what made its data; programs that are started have theirs beside it.
 */
const [name = '', sizes = '{}'] = process.argv.slice(2);
const measure = cases[name];
if (measure === undefined) throw new Error(`there is no case '${name}'`);
const rows: AlgorithmRow[] = [];
forgetPeak();
await measure((row) => {
  rows.push({ case: name, ...row, peakMiB: peakMiB() });
  forgetPeak();
}, JSON.parse(sizes) as Sizes);
process.stdout.write(`${JSON.stringify(rows)}\n`);
