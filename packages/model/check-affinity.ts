import type { AffinityRule, Service } from './block.ts';
import { joinAt, type BlockIndex } from './check-blocks.ts';
import type { Findings } from './findings.ts';
import { unitsOf, type UnitInService } from './graph.ts';

type Scope = AffinityRule['scope'];

/** A rule of one unit, of its own or inherited. */
interface Rule extends AffinityRule {
  readonly unit: string;
  readonly at: string;
}

/**
 * Rules of affinity that no placement can follow: what has to be together with something is, by what others ask, apart
 * from it, or has to be where the other must not be. What is on one host is on one site, and what is on two sites is on
 * two hosts. Takes time in proportion to units and rules, however many units a rule is about.
 */
export function checkAffinity(service: Service, index: BlockIndex, findings: Findings): void {
  const units = unitsOf(service);
  const rules = units.flatMap((unit) => rulesOf(unit, index));
  if (rules.length === 0) return;
  const below = unitsBelow(units);
  const together = { host: new Groups(below), site: new Groups(below) };
  for (const { kind, scope, unit, with: others } of rules) {
    if (kind !== 'together') continue;
    for (const other of others) {
      together.site.joinAll(unit, other);
      if (scope === 'host') together.host.joinAll(unit, other);
    }
  }
  for (const rule of rules) if (rule.kind === 'apart' && !checkApart(rule, together, findings)) return;
  checkPlaces(rules, units, together.site, findings);
}

function rulesOf({ path, requirements }: UnitInService, index: BlockIndex): readonly Rule[] {
  const { affinity = [] } = requirements;
  if (affinity.length === 0) return [];
  const stated = statedAt(path, index);
  return affinity.map((rule, i) => ({ ...rule, unit: path, at: joinAt(stated, `requirements.affinity[${i}]`) }));
}

/** The block from which a unit has its rules. */
function statedAt(unit: string, index: BlockIndex): string {
  for (let path = unit; ; path = parentOf(path)) {
    const placed = index.get(path);
    if (placed?.block.requirements.affinity !== undefined || path === '') return placed?.at ?? '';
  }
}

/** The units in each block that has some, and each unit in itself. */
function unitsBelow(units: readonly UnitInService[]): ReadonlyMap<string, readonly string[]> {
  const below = new Map<string, string[]>();
  for (const { path } of units) {
    for (let above = path; above !== ''; above = parentOf(above)) {
      const list = below.get(above);
      if (list === undefined) below.set(above, [path]);
      else list.push(path);
    }
  }
  return below;
}

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** @returns whether it can be followed. */
function checkApart(
  { unit, with: others, scope, at }: Rule,
  together: Readonly<Record<Scope, Groups>>,
  findings: Findings,
): boolean {
  const inside = others.some((other) => unit === other || unit.startsWith(`${other}/`));
  const other = inside
    ? unit
    : others.map((one) => together[scope].memberWith(unit, one)).find((one) => one !== undefined);
  if (other === undefined) return true;
  const message = inside
    ? `'${unit}' cannot be apart from itself`
    : `'${unit}' has to be on another ${scope} than '${other}', and by other rules on the same`;
  findings.error('SF-MODEL-AFFINITY', at, message);
  return false;
}

/** Units that have to share a site need one that all of them allow. */
function checkPlaces(
  rules: readonly Rule[],
  units: readonly UnitInService[],
  together: Groups,
  findings: Findings,
): void {
  const asked = new Map<string, { readonly of: string; readonly sites?: readonly string[]; readonly tier?: string }>();
  for (const { path, requirements } of units) {
    const { sites, tier } = requirements.location ?? {};
    const group = together.of(path);
    const before = asked.get(group) ?? { of: path };
    const shared = sites === undefined ? before.sites : sites.filter((site) => before.sites?.includes(site) ?? true);
    const noSite = sites !== undefined && before.sites !== undefined && shared!.length === 0;
    const twoTiers = tier !== undefined && before.tier !== undefined && tier !== before.tier;
    if (noSite || twoTiers) {
      const what = noSite ? 'there is none that both may use' : `tier ${before.tier} is asked for, and tier ${tier}`;
      const rule = rules.find(({ kind, unit }) => kind === 'together' && together.of(unit) === group);
      const message = `'${before.of}' and '${path}' have to be on one site, and ${what}`;
      findings.error('SF-MODEL-AFFINITY', rule?.at ?? '', message);
      return;
    }
    const known = tier ?? before.tier;
    asked.set(group, {
      of: before.of,
      ...(shared === undefined ? {} : { sites: shared }),
      ...(known === undefined ? {} : { tier: known }),
    });
  }
}

/** Units that have to share a host, or a site: disjoint sets (union-find with path halving). */
class Groups {
  readonly #below: ReadonlyMap<string, readonly string[]>;
  readonly #parents = new Map<string, string>();
  /** Blocks whose units are together already. */
  readonly #whole = new Set<string>();
  /** Of a block: a unit of it in each group, by the group. Only when no more units join. */
  readonly #members = new Map<string, ReadonlyMap<string, string>>();

  constructor(below: ReadonlyMap<string, readonly string[]>) {
    this.#below = below;
  }

  of(unit: string): string {
    let at = unit;
    for (let parent = this.#parents.get(at); parent !== undefined; parent = this.#parents.get(at)) {
      const above = this.#parents.get(parent);
      if (above !== undefined) this.#parents.set(at, above);
      at = parent;
    }
    return at;
  }

  /** The unit and all units of the block. */
  joinAll(unit: string, block: string): void {
    const units = this.#below.get(block) ?? [];
    for (const other of this.#whole.has(block) ? units.slice(0, 1) : units) this.#join(unit, other);
    this.#whole.add(block);
  }

  /** A unit of the block that is in the group of this one. */
  memberWith(unit: string, block: string): string | undefined {
    let members = this.#members.get(block);
    if (members === undefined) {
      members = new Map((this.#below.get(block) ?? []).map((one) => [this.of(one), one]));
      this.#members.set(block, members);
    }
    return members.get(this.of(unit));
  }

  #join(a: string, b: string): void {
    const [rootA, rootB] = [this.of(a), this.of(b)];
    if (rootA !== rootB) this.#parents.set(rootA, rootB);
  }
}
