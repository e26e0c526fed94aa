import { parentPort, workerData } from 'node:worker_threads';
import { SuperfluidityError } from '@superfluidity/core';
import { type Reply, sent, take, type Work } from './messages.ts';
import { sweep } from './sweep.ts';

/** Takes starts that no other thread has taken, until there are none, and says once what it found. */
const work = workerData as Work;

const reply = await sweep(work, () => take(work)).then(
  (verdict): Reply => ({ verdict: verdict === undefined ? undefined : sent(verdict) }),
  (error: unknown): Reply => {
    if (!(error instanceof SuperfluidityError)) throw error;
    return { refused: { code: error.code, reason: error.details.reason } };
  },
);
parentPort!.postMessage(reply);
