import { parentPort } from 'node:worker_threads';
import { isSuperfluidityError } from '@superfluidity/core';
import { type ProofRequest, prove } from './prove.ts';
import type { VerificationReport } from './report.ts';

/** Answers one request after the other, for as long as it is kept. */
export type Reply = { readonly id: number } & (
  | { readonly report: VerificationReport }
  | { readonly refused: { readonly code: string; readonly reason: string } }
);

parentPort!.on('message', ({ id, request }: { readonly id: number; readonly request: ProofRequest }) => {
  parentPort!.postMessage(answer(id, request));
});

function answer(id: number, request: ProofRequest): Reply {
  try {
    return { id, report: prove(request) };
  } catch (error) {
    if (!isSuperfluidityError(error)) throw error;
    return { id, refused: { code: error.code, reason: error.details.reason } };
  }
}
