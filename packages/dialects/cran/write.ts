import type { Block, Network, Service } from '@superfluidity/model';
import { isAssumed } from '../assumed.ts';
import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { FreeNames } from '../free-names.ts';
import { type Group, groupAt, isGroup, listOf, textOf } from '../groups.ts';
import { nameIn, spells } from '../names.ts';
import { yamlBlock } from '../yaml-block.ts';

/**
 * A service as an RFB graph: a block for each function, a leaf for each unit in it, a link for each network between two units.
 * The levels above that were read are written again, without what is gone.
 */
export function writeCran(service: Service, lose: Lose = () => {}): readonly DescriptorFile[] {
  const document = new Graph(service, lose).document();
  return [{ path: `${service.block.name}.yaml`, bytes: new TextEncoder().encode(yamlBlock(document)) }];
}

interface Leaf {
  readonly name: string;
  readonly unit: Block;
  readonly at: string;
  readonly links: string[];
}

interface Level {
  readonly name: string;
  /** As it was read; a new one has none. */
  readonly carried?: Group;
  readonly leaves: readonly string[];
}

class Graph {
  readonly #service: Service;
  readonly #lose: Lose;
  readonly #carried: Group;
  /** Blocks above the leaves as they were read, by name. */
  readonly #above: ReadonlyMap<string, Group>;
  readonly #taken = new FreeNames();
  readonly #leaves: Leaf[] = [];
  readonly #levels: Level[] = [];

  constructor(service: Service, lose: Lose) {
    this.#service = service;
    this.#lose = lose;
    this.#carried = groupAt(service.block.carried, 'cran');
    const blocks = listOf(this.#carried['blocks']).filter(isGroup);
    this.#above = new Map(blocks.map((block) => [String(block['name']), block]));
  }

  document(): Group {
    const { block } = this.#service;
    block.children.forEach((fn, i) => this.#function(fn, `functions[${i}]`));
    this.#links();
    const name = written(block);
    const kind = textOf(this.#carried['kind']) ?? 'sfwless-deployment';
    return {
      api: 'v1',
      kind,
      metadata: { name, ...groupAt(this.#carried, 'metadata') },
      'Functional-blocks': [...this.#levelBlocks(), ...this.#leaves.map((leaf) => this.#leafBlock(leaf))],
    };
  }

  /** A leaf that lies in no block is a function of its own: such are those of one unit with the same name. */
  #function(fn: Block, at: string): void {
    const names = fn.children.map(written);
    const was = this.#levelOf(fn, names);
    const [only, ...others] = names;
    const isAlone = was === undefined && others.length === 0 && only === written(fn);
    const level = isAlone ? undefined : this.#taken.claim(written(fn));
    const leaves = fn.children.map((unit, j) => {
      const wanted = names[j]!;
      const stem = `${written(fn)}-${wanted}`;
      const name = this.#taken.claim(this.#taken.has(wanted) ? stem : wanted);
      if (name !== wanted)
        this.#lose(
          `${at}.units[${j}]`,
          `the name '${unit.name}' once more: the unit of '${fn.name}' is called '${name}'`,
        );
      this.#leaves.push({ name, unit, at: `${at}.units[${j}]`, links: [] });
      return name;
    });
    if (level !== undefined) this.#levels.push({ name: level, leaves, ...(was === undefined ? {} : { carried: was }) });
  }

  /** The block that a function was read from: that of its name, else of any of its leaves, since it may have another now. */
  #levelOf(fn: Block, leaves: readonly string[]): Group | undefined {
    const named = this.#above.get(written(fn));
    if (named !== undefined) return named;
    return [...this.#above.values()].find((one) =>
      listOf(one['rfb-list']).some((leaf) => leaves.includes(String(leaf))),
    );
  }

  /** Upper levels as they were, in which functions that are new lie beside the first of those that were there. */
  #levelBlocks(): readonly Group[] {
    const bySource = new Map(
      this.#levels.flatMap((level) => (level.carried === undefined ? [] : [[level.carried, level]])),
    );
    const renamed = new Map([...bySource].map(([block, level]) => [String(block['name']), level.name]));
    const isGone = (block: Group): boolean =>
      !bySource.has(block) && !listOf(block['rfb-list']).some((member) => this.#above.has(String(member)));
    const upper = new Set([...this.#above.values()].filter((block) => !bySource.has(block) && !isGone(block)));
    const known = new Set([...upper].map((block) => String(block['name'])));
    const kept = (names: unknown): readonly string[] =>
      listOf(names)
        .map(String)
        .flatMap((name) => renamed.get(name) ?? (known.has(name) ? [name] : []));
    const isSibling = (block: Group) => listOf(block['rfb-list']).some((name) => renamed.has(String(name)));
    const fresh = this.#levels.filter(({ carried }) => carried === undefined);
    const home = [...upper].find(isSibling);
    const blocks = [...this.#above.values()].flatMap((block): Group[] => {
      const level = bySource.get(block);
      if (level === undefined && !upper.has(block)) return [];
      const added = block === home ? fresh.map(({ name }) => name) : [];
      const members = [...kept(block['rfb-list']), ...added, ...(level?.leaves ?? [])];
      const { links, ...rest } = block;
      const left = kept(links);
      return [
        {
          ...rest,
          name: level?.name ?? block['name'],
          'rfb-list': members,
          ...(left.length === 0 ? {} : { links: left }),
        },
      ];
    });
    return [...blocks, ...fresh.map(({ name, leaves }) => ({ name, 'rfb-level': LEVEL, 'rfb-list': leaves }))];
  }

  #leafBlock({ name, unit, at, links }: Leaf): Group {
    const { id: _id, zone: zoneBefore, ...carried } = groupAt(unit.carried, 'cran');
    const zone = this.#zone(unit, at, zoneBefore);
    const image = this.#image(unit, at);
    return {
      name,
      'rfb-level': 'leaf',
      ...carried,
      ...(image === undefined || image === name ? {} : { type: image }),
      ...(zone === undefined ? {} : { zone }),
      ...(links.length === 0 ? {} : { links }),
    };
  }

  /** As it was written where it says the same; several zones are none that is asked for. */
  #zone({ requirements, name }: Block, at: string, before: unknown): unknown {
    const { tier, sites = [], cells = [] } = requirements.location ?? {};
    if (sites.length + cells.length > 0)
      this.#lose(`${at}.requirements.location`, `sites and cells of '${name}': a leaf has a zone`);
    const zones = [before ?? []].flat();
    if (tier === undefined) return zones.length > 1 ? before : undefined;
    return zones.length === 1 && zones[0] === tier ? before : [tier];
  }

  #image({ execution, name }: Block, at: string): string | undefined {
    if (execution === undefined) return undefined;
    if (execution.environment !== 'vm')
      this.#lose(at, `that '${name}' runs as ${execution.environment}: a leaf is taken for a machine`);
    const { image } = execution;
    if (image?.startsWith('name:') === true) return image.slice('name:'.length);
    if (image !== undefined) this.#lose(`${at}.image`, `the image '${image}' of '${name}': a leaf has the name of one`);
    return undefined;
  }

  /** A network is a link between the two leaves that have ports on it. */
  #links(): void {
    const { networks } = this.#service;
    const ends = new Map<string, Leaf[]>(networks.map(({ name }) => [name, []]));
    for (const leaf of this.#leaves) {
      for (const [k, port] of leaf.unit.ports.entries()) {
        const two = ends.get(port.network ?? '');
        const at = `${leaf.at}.ports[${k}]`;
        if (two === undefined) this.#lose(at, `port '${port.name}' of '${leaf.unit.name}', which is on no network`);
        else if (two.includes(leaf))
          this.#lose(at, `port '${port.name}' of '${leaf.unit.name}': a leaf is at one end of a link`);
        else if (two.length === 2)
          this.#lose(
            at,
            `port '${port.name}' of '${leaf.unit.name}': a link has two ends, and '${port.network}' has more`,
          );
        else two.push(leaf);
      }
    }
    networks.forEach((network, i) => this.#link(network, ends.get(network.name)!, i));
  }

  #link(network: Network, [from, to]: readonly Leaf[], i: number): void {
    if (from === undefined || to === undefined)
      return this.#lose(`networks[${i}]`, `network '${network.name}': a link is between two leaves`);
    if (!isAssumed('cran', network)) this.#lose(`networks[${i}].prefix`, `prefix of network '${network.name}'`);
    // Its name tells which of the two has the link.
    const isOfSecond = spells(`${to.name}-${from.name}`, network.name);
    const [one, other] = isOfSecond ? [to, from] : [from, to];
    one.links.push(other.name);
  }
}

/** The level of a block in which leaves lie, as in the example of RDCL 3D. */
const LEVEL = 'rfb/1';

/** As it was written where that is still its name. */
function written(block: Block): string {
  const name = nameIn('cran', block);
  return spells(name, block.name) ? name : block.name;
}
