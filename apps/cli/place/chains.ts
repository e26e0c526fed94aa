import { readFile } from 'node:fs/promises';
import { SuperfluidityError } from '@superfluidity/core';
import { type ChainPolicy, type ChainsResult, type CostModel, placeChains, readChains } from '@superfluidity/place/ocm';
import type { Context } from '../context.ts';
import type { Style } from '../print/style.ts';
import { table } from '../print/table.ts';
import { exitCodes } from '../exit-codes.ts';
import '../errors.ts';

interface ChainsOptions {
  readonly policy: ChainPolicy;
  readonly costModel?: CostModel;
  readonly seed: number;
}

const ROWS_MAX = 200;

export async function chains(context: Context, file: string, options: ChainsOptions): Promise<void> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SuperfluidityError('SF-CLI-FILE', { doing: `read ${file}`, reason, cause });
  });
  const read = readChains(bytes, file);
  if (!('problem' in read)) {
    const [first] = read.problems;
    throw new SuperfluidityError('SF-PLACE-INPUT', {
      doing: `read ${file}`,
      reason: `${read.problems.length === 1 ? 'one error' : `${read.problems.length} errors`}, the first: ${first!.message}`,
      data: { problems: read.problems },
    });
  }
  const { costModel = read.problem.costModel, policy, seed } = options;
  const result = placeChains({ ...read.problem, costModel }, { policy, seed });
  if (result.totals.refused > 0) process.exitCode = exitCodes.failed;
  await context.show(result, () => resultText(result, context.style));
}

/** Where each block went and why, what was refused and why, and what the hosts carry. */
function resultText({ policy, chains: all, hosts, totals, warnings }: ChainsResult, style: Style): string {
  const blocks = all.flatMap((chain) =>
    chain.accepted ? chain.blocks.map((block) => ({ chain: chain.chain, ...block })) : [],
  );
  const refused = all.flatMap((chain) => (chain.accepted ? [] : [chain]));
  const cut = (count: number) =>
    count > ROWS_MAX ? [style.dim(`and ${count - ROWS_MAX} more rows: --json has all`)] : [];
  return [
    `${style.bold(`${totals.accepted} of ${all.length} chains placed`)} by ${policy}  ${cores(totals.switchingCores)} cores for switching, ${cores(totals.guestCores)} for functions, on ${totals.hostsUsed} hosts`,
    '',
    table(blocks.slice(0, ROWS_MAX), [
      { title: 'CHAIN', value: (one) => one.chain },
      { title: 'HOST', value: (one) => one.host },
      { title: 'FUNCTIONS', value: (one) => one.functions.join(' ') },
      { title: 'SWITCHING', value: (one) => cores(one.switchingCores), align: 'right' },
      { title: 'BECAUSE', value: (one) => one.reason },
    ]),
    ...cut(blocks.length),
    '',
    ...all.slice(0, ROWS_MAX).flatMap((chain) => (chain.accepted ? [`${chain.chain}: ${chain.reason}`] : [])),
    ...refused
      .slice(0, ROWS_MAX)
      .map(({ chain, code, reason }) => `${style.red('refused')} ${chain}: ${code}: ${reason}`),
    '',
    table(hosts.slice(0, ROWS_MAX), [
      { title: 'HOST', value: (one) => one.host },
      { title: 'SUB-CHAINS', value: (one) => one.subChains, align: 'right' },
      { title: 'FUNCTIONS', value: (one) => cores(one.guestCores), align: 'right' },
      { title: 'SWITCHING', value: (one) => cores(one.switchingCores), align: 'right' },
      { title: 'FREE', value: (one) => cores(one.freeCores), align: 'right' },
    ]),
    ...cut(hosts.length),
    ...warnings.map((warning) => `${style.yellow('warning')} ${warning}`),
  ].join('\n');
}

const cores = (value: number) => (Math.round(value * 1_000) / 1_000).toFixed(3);
