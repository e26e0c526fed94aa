import { parentPort, workerData } from 'node:worker_threads';
import { SuperfluidityError } from '@superfluidity/core';
import { type Reply, sent, take, type Work } from './messages.ts';
import { sweep } from './sweep.ts';

/** Takes parts that no other thread has taken, until there are none, and says once what it found. */
const work = workerData as Work;

const reply = await sweep(work, () => take(work)).then(
  (found): Reply => ({ found: found.map(sent) }),
  (error: unknown): Reply => {
    if (!(error instanceof SuperfluidityError)) throw error;
    return { refused: { code: error.code, reason: error.details.reason } };
  },
);
parentPort!.postMessage(reply);
