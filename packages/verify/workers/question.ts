import { mtu, type MtuOptions } from '../analyses/mtu.ts';
import { blackHoles, invariants, isolation, loops, waypoints } from '../analyses/questions.ts';
import { hidden, visible } from '../analyses/visibility.ts';
import type { ExploreOptions, Start } from '../engine/explore.ts';
import type { Field } from '../ir/expression.ts';
import type { Network } from '../network.ts';
import type { Verdict } from '../verdict.ts';

/** Asked of packets from every start: it holds when it holds from each. Plain data, so that threads can be asked. */
export type EveryStartQuestion =
  | { readonly ask: 'loops' | 'blackholes' }
  | { readonly ask: 'isolation'; readonly to: string }
  | { readonly ask: 'waypoints'; readonly to: string; readonly through: readonly string[] }
  | ({ readonly ask: 'mtu' } & MtuOptions)
  | { readonly ask: 'visible' | 'hidden'; readonly at: string; readonly fields: readonly Field[] }
  | { readonly ask: 'invariants'; readonly kept: readonly Field[] };

export function ask(network: Network, start: Start, question: EveryStartQuestion, options: ExploreOptions): Verdict {
  switch (question.ask) {
    case 'loops':
      return loops(network, [start], options);
    case 'blackholes':
      return blackHoles(network, [start], options);
    case 'isolation':
      return isolation(network, [start], question.to, options);
    case 'waypoints':
      return waypoints(network, [start], question.to, question.through, options);
    case 'mtu':
      return mtu(network, [start], question, options);
    case 'visible':
      return visible(network, [start], question.at, question.fields, options);
    case 'hidden':
      return hidden(network, [start], question.at, question.fields, options);
    case 'invariants':
      return invariants(network, [start], question.kept, options);
  }
}
