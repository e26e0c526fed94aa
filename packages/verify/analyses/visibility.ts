import type { ExploreOptions, Start } from '../engine/explore.ts';
import type { Path } from '../engine/path.ts';
import type { Field } from '../ir/expression.ts';
import type { Network } from '../network.ts';
import type { Verdict } from '../verdict.ts';
import { verdictOf } from './exploration-verdict.ts';
import { isAt, mustExist, type Place } from './places.ts';
import { run } from './questions.ts';

/**
 * Are the fields, as they are seen where packets come to the place, those that were sent? The header that is seen is the
 * outermost one: of a packet in a tunnel, that of the tunnel. What is encrypted is not seen.
 */
export function visible(
  network: Network,
  starts: readonly Start[],
  at: Place,
  fields: readonly Field[],
  options: ExploreOptions = {},
): Verdict {
  const names = namesOf(fields);
  const notSeen = (path: Path) =>
    fields.some((field) => path.sight(field) === 'encrypted') ? path : path.changed(presentIn(path, fields));
  return look(network, starts, at, options, notSeen, {
    question: 'visible',
    found: `Packets come to ${at} that do not show the ${names} that was sent.`,
    absent: `Packets come to ${at} with the ${names} that was sent.`,
  });
}

/** Is none of the fields to be read where packets come to the place, not even in a header inside a tunnel? */
export function hidden(
  network: Network,
  starts: readonly Start[],
  at: Place,
  fields: readonly Field[],
  options: ExploreOptions = {},
): Verdict {
  const names = namesOf(fields);
  const readable = (path: Path) =>
    fields.some((field) => ['shown', 'inside'].includes(path.sight(field) ?? '')) ? path : undefined;
  return look(network, starts, at, options, readable, {
    question: 'hidden',
    found: `Packets come to ${at} in which the ${names} that was sent can be read.`,
    absent: `No packet comes to ${at} in which the ${names} that was sent can be read.`,
  });
}

const namesOf = (fields: readonly Field[]) => fields.map((at) => at.name ?? `${at.tag}+${at.offset}`).join(', ');

/** A question about ports of TCP is none about packets that have no ports. */
const presentIn = (path: Path, fields: readonly Field[]) => fields.filter((field) => path.sight(field) !== undefined);

function look(
  network: Network,
  starts: readonly Start[],
  at: Place,
  options: ExploreOptions,
  evidenceOf: (path: Path) => Path | undefined,
  text: { readonly question: string; readonly found: string; readonly absent: string },
): Verdict {
  mustExist(network, at);
  const explorations = starts.map((start) => {
    const evidence: Path[] = [];
    const exploration = run(network, start, {
      ...options,
      keepDropped: false,
      monitor: {
        arrived(state, pathSoFar) {
          if (state.trail.length > 1 && isAt(state.port, at)) {
            const found = evidenceOf(pathSoFar(`as it comes to ${state.port}`));
            if (found !== undefined) evidence.push(found);
          }
          return 'continue';
        },
      },
    });
    return { exploration: { ...exploration, paths: [...exploration.paths, ...evidence] }, evidence };
  });
  return verdictOf(
    {
      question: text.question,
      evidence: explorations.flatMap(({ evidence }) => evidence),
      found: 'violated',
      because: text,
    },
    explorations.map(({ exploration }) => exploration),
  );
}
