import { enableCompileCache } from 'node:module';
import { parentPort } from 'node:worker_threads';
import type { ErrorReport } from '@superfluidity/core';
import type { ProofRequest } from './prove.ts';
import type { VerificationReport, WaysReport } from './report.ts';
import type { WaysRequest } from './ways.ts';

export interface Message {
  readonly id: number;
  readonly request: ProofRequest | WaysRequest;
}

/** Answers one request after the other, for as long as it is kept. */
export type Reply = { readonly id: number } & (
  | { readonly report: VerificationReport }
  | { readonly ways: WaysReport }
  | { readonly refused: Pick<ErrorReport, 'code' | 'message'> }
);

// Before the engine is loaded: compiled once, it is there in a fifth of the time.
enableCompileCache();
const [{ prove }, { waysOf }, { isSuperfluidityError }] = await Promise.all([
  import('./prove.ts'),
  import('./ways.ts'),
  import('@superfluidity/core'),
]);

parentPort!.on('message', ({ id, request }: Message) => {
  parentPort!.postMessage(answer(id, request));
});

function answer(id: number, request: Message['request']): Reply {
  try {
    return 'question' in request ? { id, ways: waysOf(request) } : { id, report: prove(request) };
  } catch (error) {
    if (!isSuperfluidityError(error)) throw error;
    return { id, refused: { code: error.code, message: error.message } };
  }
}
