import { enableCompileCache } from 'node:module';
import { parentPort } from 'node:worker_threads';
import type { ErrorReport } from '@superfluidity/core';
import type { ProofRequest } from './prove.ts';
import type { VerificationReport } from './report.ts';

/** Answers one request after the other, for as long as it is kept. */
export type Reply = { readonly id: number } & (
  | { readonly report: VerificationReport }
  | { readonly refused: Pick<ErrorReport, 'code' | 'message'> }
);

// Before the engine is loaded: compiled once, it is there in a fifth of the time.
enableCompileCache();
const [{ prove }, { isSuperfluidityError }] = await Promise.all([import('./prove.ts'), import('@superfluidity/core')]);

parentPort!.on('message', ({ id, request }: { readonly id: number; readonly request: ProofRequest }) => {
  parentPort!.postMessage(answer(id, request));
});

function answer(id: number, request: ProofRequest): Reply {
  try {
    return { id, report: prove(request) };
  } catch (error) {
    if (!isSuperfluidityError(error)) throw error;
    return { id, refused: { code: error.code, message: error.message } };
  }
}
