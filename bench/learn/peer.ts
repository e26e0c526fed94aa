import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Table } from '@superfluidity/learn';

/** scikit-learn on the same cells, one thread; prints processor seconds and the error on what it learned from. */
const PROGRAM = `
import sys, time, numpy as np
kind, rows, columns, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
x = np.fromfile(folder + '/x').reshape(columns, rows).T.astype(np.float32 if kind == 'tree' else np.float64)
y = np.fromfile(folder + '/y')
if kind == 'tree':
    from sklearn.tree import DecisionTreeClassifier
    model = DecisionTreeClassifier(criterion='entropy', min_samples_leaf=2, random_state=0)
else:
    from sklearn.ensemble import HistGradientBoostingRegressor
    model = HistGradientBoostingRegressor(max_iter=int(sys.argv[5]), early_stopping=False)
before = time.process_time()
model.fit(x, y)
print(time.process_time() - before, float(np.mean((model.predict(x) - y) ** 2)))
`;

export interface PeerResult {
  readonly ms: number;
  readonly error: number;
}

/** Of Debian's python3-sklearn; undefined where there is none. */
export function sklearn(
  kind: 'tree' | 'boosting',
  { rows, columns }: Table,
  target: Float64Array,
  trees = 0,
): PeerResult | undefined {
  const python = '/usr/bin/python3';
  if (spawnSync(python, ['-c', 'import sklearn']).status !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'sf-bench-'));
  try {
    const cells = new Float64Array(rows * columns.length);
    columns.forEach((column, i) => column.kind === 'numeric' && cells.set(column.values, i * rows));
    writeFileSync(join(folder, 'x'), cells);
    writeFileSync(join(folder, 'y'), target);
    const args = ['-c', PROGRAM, kind, String(rows), String(columns.length), folder, String(trees)];
    const env = { ...process.env, OMP_NUM_THREADS: '1' };
    const { stdout, stderr, status } = spawnSync(python, args, { encoding: 'utf8', env });
    if (status !== 0) throw new Error(`scikit-learn: ${stderr}`);
    const [seconds, error] = stdout.trim().split(' ').map(Number) as [number, number];
    return { ms: 1_000 * seconds, error };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
