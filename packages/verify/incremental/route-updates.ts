import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import { type BoxParts, partsOf } from '../assemble/parts.ts';
import { inputLimits } from '../limits.ts';
import { boxOf } from '../network.ts';
import type { FileReading } from '../read/ledger.ts';
import type { InputFile } from '../read/reader.ts';
import { wordsOf } from '../read/words.ts';
import { parsePrefix } from '../readers/fib/addresses.ts';
import type { Target } from '../readers/fib/rows.ts';
import type { ForwardingRule } from './rules.ts';
import { type BlackHole, IncrementalVerifier, type Loop, type Wiring } from './verifier.ts';

/** A route that comes, or that goes. */
export interface RouteUpdate {
  readonly insert: boolean;
  readonly box: string;
  readonly address: number;
  readonly length: number;
  /** Of a route that comes: to one of these interfaces, or to nowhere. */
  readonly interfaces: readonly string[];
  readonly line: number;
  readonly text: string;
}

export interface RouteUpdateReport {
  readonly update: RouteUpdate;
  /** Of packets that go another way since. */
  readonly loops: readonly Loop[];
  readonly blackHoles: readonly BlackHole[];
  readonly milliseconds: number;
}

/**
 * Updates of routing tables, one on a line: `+ edge 10.2.0.0/16 eth1` or, to choose from, `eth1,eth2`, `+ edge 10.2.0.0/16 drop`,
 * `- edge 10.2.0.0/16`. A route that comes takes the place of one for the same prefix.
 */
export function readRouteUpdates({ path, text }: InputFile): readonly RouteUpdate[] {
  const rows = text.split('\n', inputLimits.lines + 1);
  if (rows.length > inputLimits.lines) {
    throw new SuperfluidityError('SF-VERIFY-LIMIT', { reason: `${path}: more than ${inputLimits.lines} lines` });
  }
  return rows.flatMap((row, i): readonly RouteUpdate[] => {
    const [sign, box, prefix, target, ...more] = wordsOf(row.split('#')[0]!);
    if (sign === undefined) return [];
    const at = parsePrefix(prefix ?? '');
    const insert = sign === '+';
    const isWhole = insert ? target !== undefined : sign === '-' && target === undefined;
    if (box === undefined || at === undefined || !isWhole || more.length > 0) {
      throw wrong(path, i + 1, 'an update is `+ box prefix interface`, `+ box prefix drop` or `- box prefix`');
    }
    const interfaces = target === undefined || target === 'drop' ? [] : target.split(',');
    return [{ insert, box, ...at, interfaces, line: i + 1, text: row.trim() }];
  });
}

function wrong(path: string, line: number, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-VERIFY-INPUT', {
    doing: `read ${path}`,
    reason: `${path}:${line}: ${reason}`,
    data: { file: path, line },
  });
}

/** A network of routers and their links, whose tables change. Of other boxes updates are not followed. */
export class ChangingRoutes {
  readonly readings: readonly FileReading[];
  readonly #file: string;
  readonly #verifier: IncrementalVerifier;
  readonly #routes = new Map<string, ForwardingRule>();
  readonly #clock: () => number;

  /** `clock` in milliseconds. */
  constructor(net: readonly InputFile[], updates: readonly RouteUpdate[], file: string, clock: () => number) {
    const { boxes, links, readings } = partsOf(net);
    for (const [box, parts] of boxes) mustBeRouter(box, parts);
    for (const { box, line } of updates) if (!boxes.has(box)) throw wrong(file, line, `there is no router ${box}`);
    this.#file = file;
    this.#clock = clock;
    this.readings = [...[...boxes.values()].flatMap((parts) => parts.readings), ...readings];
    const initial = [...boxes].flatMap(([box, { fib }]) => routesOf(box, fib));
    const several = [...initial, ...updates.map((update) => ruleOf(update))];
    const wiring: Wiring = {
      // Where packets come in has a name of its own: a router may send them back by the interface by which they came.
      links: links.flatMap(({ from, to }, i) =>
        boxes.has(boxOf(from)) && boxes.has(boxOf(to))
          ? [{ from: { node: boxOf(from), port: portOf(from) }, to: { node: boxOf(to), port: `in ${i}` } }]
          : [],
      ),
      lists: new Map(),
      vlans: new Map(several.map(({ box, port }) => [`${box} ${port}`, port.split(',')])),
    };
    this.#verifier = new IncrementalVerifier(wiring, boxes.keys());
    for (const rule of initial) {
      const key = keyOf(rule);
      // Of equal prefixes the first one counts.
      if (this.#routes.has(key)) continue;
      this.#routes.set(key, rule);
      this.#verifier.insert(rule);
    }
  }

  apply(update: RouteUpdate): RouteUpdateReport {
    const began = this.#clock();
    const rule = ruleOf(update);
    const key = keyOf(rule);
    const old = this.#routes.get(key);
    if (old === undefined && !update.insert) {
      throw wrong(this.#file, update.line, `${update.box} has no route for that prefix`);
    }
    // Behind a route for the same prefix the new one waits, and takes its place when that goes: packets move once.
    const inserted = update.insert ? this.#verifier.insert(rule) : undefined;
    const changed = old === undefined ? inserted! : this.#verifier.remove(old);
    if (update.insert) this.#routes.set(key, rule);
    else this.#routes.delete(key);
    const { loops } = changed;
    return { update, loops, blackHoles: changed.blackHoles(), milliseconds: this.#clock() - began };
  }
}

const portOf = (port: string) => port.slice(boxOf(port).length + 1);
const keyOf = ({ box, address, length }: ForwardingRule) => `${box} ${address}/${length}`;

function ruleOf({ box, address, length, interfaces }: RouteUpdate): ForwardingRule {
  return { kind: 'forward', box, address, length, port: interfaces.length === 0 ? 'drop' : interfaces.join(',') };
}

function routesOf(box: string, fib: BoxParts['fib']): readonly ForwardingRule[] {
  if (fib === undefined) return [];
  return Array.from(fib.addresses, (address, i) => {
    const port = nameOf(fib.targets[fib.target[i]!]!);
    return { kind: 'forward', box, address, length: fib.lengths[i]!, port };
  });
}

const nameOf = (target: Target) => (target.kind === 'interfaces' ? target.names.join(',') : target.kind);

function mustBeRouter(box: string, parts: BoxParts): void {
  const others = parts.rulesets.length + parts.click.length + parts.ipsets.size;
  if (others === 0 && parts.flows === undefined && parts.macTable === undefined) return;
  throw new SuperfluidityError('SF-VERIFY-INPUT', {
    doing: 'follow updates of routes',
    reason: `${box} does more than route: updates are followed through routing tables of IPv4 and links alone`,
  });
}
