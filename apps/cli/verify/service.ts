import { existsSync } from 'node:fs';
import type { VerificationReport } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import { verdictOfLikeness, verdictOfReport, worstOf } from '@superfluidity/intent/report';
import type { Context } from '../context.ts';
import { verificationText } from '../print/verification.ts';
import { readSource } from '../source.ts';
import { answerAs, codes } from './answer.ts';
import { proveHere } from './prove-here.ts';
import type { VerifyOptions } from './question.ts';

interface ServiceOptions extends VerifyOptions {
  readonly realised?: true;
}

/**
 * Do the policies of a service hold? Of a file, with all its functions on one site that is not there: where they go is not
 * known here. Of a service that runs, the server answers, of what is meant to be there or of what its sites have now.
 */
export async function service(context: Context, what: readonly string[], options: ServiceOptions): Promise<void> {
  const report = await reportOf(context, what, options);
  const { answer, policies, likeness } = report;
  const likewise = likeness === undefined ? [] : [likeness];
  process.exitCode = codes[worstOf([answer, ...likewise.map((each) => each.answer)])];
  const verdicts = [...policies.map(verdictOfReport), ...likewise.map(verdictOfLikeness)];
  if (await answerAs(context, verdicts, options)) return;
  await context.show(report, () => verificationText(report, context.style, options.paths));
}

async function reportOf(
  context: Context,
  what: readonly string[],
  { realised, timeLimit }: ServiceOptions,
): Promise<VerificationReport> {
  const [name = ''] = what;
  if (existsSync(name)) {
    if (realised) {
      const reason = 'a file is nowhere: name a service that runs';
      throw new SuperfluidityError('SF-CLI-USAGE', { doing: 'verify what is realised', reason });
    }
    return proveHere(await readSource(what), timeLimit * 1_000);
  }
  const query = { realised: realised ? 'true' : 'false' } as const;
  return (await context.client()).call('verifyService', { params: { name }, query });
}
