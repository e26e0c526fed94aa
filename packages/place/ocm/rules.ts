import { type Block, type Chain, chainLatencyMs, LATENCY_SLACK_MS } from './chain.ts';
import type { HostPool } from './host-pool.ts';

/** Rules that no block has for itself: latency, and affinity in sites. */
export function keepsRules({ problem }: HostPool, chain: Chain, blocks: readonly Block[]): boolean {
  const hostOf = hostsOf(chain, blocks);
  if (chainLatencyMs(problem, chain, hostOf) > chain.latencyMaxMs + LATENCY_SLACK_MS) return false;
  const { hosts } = problem;
  return chain.functions.every(({ partners }, i) =>
    partners.every(({ kind, scope, chain: other, function: partner }) => {
      if (other !== chain.number) return true;
      const [here, there] = [hostOf[i]!, hostOf[partner]!];
      const alike = scope === 'host' ? here === there : hosts[here]!.site === hosts[there]!.site;
      return alike === (kind === 'together');
    }),
  );
}

export function hostsOf({ functions }: Chain, blocks: readonly Block[]): readonly number[] {
  const hostOf = Array.from({ length: functions.length }, () => -1);
  for (const block of blocks) for (const each of block.functions) hostOf[each] = block.host;
  return hostOf;
}
