import { Worker } from 'node:worker_threads';
import type { Solve } from '../path-condition.ts';
import { question, readAnswer } from './smt-lib.ts';

/** Loading 35 MB of WebAssembly takes a fifth of a second, more on a machine that is busy. */
const LOAD_MS = 20_000;
/** z3 looks at its own time limit now and then only. */
const GRACE_MS = 2_000;
const ANSWER_BYTES = 1 << 20;
/** Answers that are kept: the same formula comes again with the next path. */
const REMEMBERED = 1_000;

export interface FormulaSolver {
  readonly solve: Solve;
  close(): Promise<void>;
}

/**
 * z3 in a thread of its own, started when it is first needed. The caller sleeps until the answer is there; a question that
 * takes too long is given up, with the thread, and its answer is `unknown`.
 */
export function z3Solver(timeoutMs: number): FormulaSolver {
  const answers = new Map<string, ReturnType<Solve>>();
  const state = new Int32Array(new SharedArrayBuffer(8));
  const bytes = new Uint8Array(new SharedArrayBuffer(ANSWER_BYTES));
  let worker: Worker | undefined;

  const ask = (text: string): ReturnType<Solve> => {
    const isNew = worker === undefined;
    worker ??= new Worker(new URL('./worker.ts', import.meta.url), { workerData: { state, bytes } });
    // A thread that waits for a question does not keep the process alive.
    worker.unref();
    Atomics.store(state, 0, 0);
    worker.postMessage(text);
    const patienceMs = timeoutMs + GRACE_MS + (isNew ? LOAD_MS : 0);
    if (Atomics.wait(state, 0, 0, patienceMs) === 'timed-out') {
      void worker.terminate();
      worker = undefined;
      return 'unknown';
    }
    return readAnswer(new TextDecoder().decode(bytes.slice(0, Atomics.load(state, 1))));
  };

  return {
    solve(formula, widths) {
      const text = question(formula, widths, timeoutMs);
      const known = answers.get(text);
      if (known !== undefined) return known;
      const answer = ask(text);
      if (answers.size >= REMEMBERED) answers.clear();
      answers.set(text, answer);
      return answer;
    },
    async close() {
      await worker?.terminate();
      worker = undefined;
    },
  };
}
