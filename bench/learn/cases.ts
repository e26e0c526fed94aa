import { deflateSync } from 'node:zlib';
import {
  classify,
  Lz78Scorer,
  Lz78Trainer,
  meanLoss,
  predictBoosted,
  sizeOf,
  trainBoosted,
  trainC45,
} from '@superfluidity/learn';
import type { Row } from '../record.ts';
import { processorMs, timing } from '../statistics.ts';
import { classes, regression, symbols } from './data.ts';
import { sklearn } from './peer.ts';

export interface Sizes {
  readonly rounds: number;
  /** Part of the sizes that the goals are for. */
  readonly part: number;
}

type Add = (row: Row) => void;

export const cases: Readonly<Record<string, (sizes: Sizes, add: Add) => void>> = {
  c45: ({ rounds, part }, add) => {
    const { table, target } = classes(100_000 * part, 50);
    const shown = `${table.rows.toLocaleString('en')} x 50`;
    let tree = trainC45(table, target);
    const times = repeat(rounds, () => (tree = trainC45(table, target)));
    const wrong = (labels: ArrayLike<number>) =>
      target.codes.reduce((count, code, row) => count + (code === labels[row] ? 0 : 1), 0);
    const errors = wrong(classify(tree, table));
    const note = `${sizeOf(tree.root).leaves} leaves, ${((100 * errors) / table.rows).toFixed(1)} % wrong on what it learned`;
    add({ ...timing(`C4.5, ${shown}`, times), goalMs: 2_000 * part, note });
    const peer = sklearn('tree', table, Float64Array.from(target.codes));
    const name = `scikit-learn tree (entropy, not pruned), ${shown}`;
    add(peer === undefined ? absent(name) : { ...timing(name, [peer.ms]), peer: true });
  },
  boosting: ({ rounds, part }, add) => {
    const { table, target } = regression(1_000_000 * part, 20);
    const trees = 100;
    const shown = `${table.rows.toLocaleString('en')} x 20, ${trees} trees`;
    let model = trainBoosted(regression(5_000, 20).table, regression(5_000, 20).target, { trees: 5 });
    const times = repeat(rounds, () => (model = trainBoosted(table, target, { trees })));
    const error = meanLoss({ kind: 'squared' }, target.values, predictBoosted(model, table));
    add({
      ...timing(`gradient boosting, ${shown}`, times),
      goalMs: 60_000 * part,
      note: `squared error ${error.toFixed(3)}`,
    });
    const peer = sklearn('boosting', table, target.values, trees);
    const name = `scikit-learn HistGradientBoosting, one thread, ${shown}`;
    if (peer === undefined) add(absent(name));
    else add({ ...timing(name, [peer.ms]), peer: true, note: `squared error ${peer.error.toFixed(3)}` });
  },
  lz78: ({ rounds, part }, add) => {
    const source = symbols(5_000_000 * part, 175);
    const rate = (ms: number) => `${(source.length / 1_000 / ms).toFixed(1)} M symbols/s`;
    const shown = `${(source.length / 1e6).toFixed(1)} M symbols, 175 letters`;
    const train = () => {
      const trainer = new Lz78Trainer({ alphabet: 175 });
      trainer.push(source);
      return trainer;
    };
    const trained = train();
    const learning = timing(`LZ78 learns ${shown}`, repeat(rounds, train));
    add({ ...learning, goalMs: source.length / 12_000, note: `${trained.nodes} nodes, ${rate(learning.p50)}` });
    let scorer = new Lz78Scorer(trained.model());
    const making = repeat(rounds, () => (scorer = new Lz78Scorer(trained.model())));
    add({ ...timing(`LZ78 prepares to score`, making), note: 'the double array of these nodes' });
    let bits = scorer.score(source);
    const scoring = timing(
      `LZ78 scores ${shown}`,
      repeat(rounds, () => (bits = scorer.score(source))),
    );
    add({ ...scoring, goalMs: source.length / 20_000, note: `${bits.toFixed(3)} bits a symbol, ${rate(scoring.p50)}` });
    let packed = 0;
    const zlib = timing(
      `zlib deflates ${shown}`,
      repeat(1, () => (packed = deflateSync(source).length)),
    );
    add({ ...zlib, peer: true, note: `${((8 * packed) / source.length).toFixed(3)} bits a symbol, ${rate(zlib.p50)}` });
  },
};

const repeat = (rounds: number, work: () => unknown): readonly number[] =>
  Array.from({ length: rounds }, () => processorMs(work));

const absent = (what: string): Row => ({ ...timing(what, []), peer: true, note: 'not installed' });
