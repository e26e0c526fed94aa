import type { Problem } from '@superfluidity/core';
import { z } from 'zod';
import { ASSUMED, assumedPrefix } from '../assumed.ts';
import type { ReadResult } from '../dialect.ts';
import type { dialectErrors } from '../errors.ts';
import type { DescriptorFile } from '../files.ts';
import { Names, renamed } from '../names.ts';
import type { NativeFunction, NativePort, NativeService, NativeUnit } from '../native/schema.ts';
import { Origins } from '../origins.ts';
import { mentions } from '../recognise.ts';
import { Report } from '../report.ts';
import { readShape } from '../shape.ts';
import { toService } from '../to-service.ts';
import { shorten, yamlOf, type YamlText } from '../yaml-text.ts';

/** RDCL 3D's description of a cloud RAN as reusable functional blocks: blocks of blocks down to the leaves, which run. */
const name = z.string().min(1).max(256);
const names = z.array(name).max(10_000).nullish();
export const rfbGraphShape = z.looseObject({
  api: z.literal('v1'),
  kind: z.string().max(256),
  metadata: z.looseObject({ name }),
  'Functional-blocks': z
    .array(
      z.looseObject({
        name,
        type: name.nullish(),
        'rfb-level': name,
        'rfb-list': names,
        links: names,
        zone: z.union([name, z.array(name).max(100)]).nullish(),
      }),
    )
    .max(10_000),
});

type RfbGraph = z.infer<typeof rfbGraphShape>;
type RfbBlock = RfbGraph['Functional-blocks'][number];

/** Reads an RFB graph. A block that leaves lie in is a function, a leaf is a unit, a link between leaves a network. */
export function readCran(files: readonly DescriptorFile[]): ReadResult {
  // Where none looks like one, the first says what is wrong.
  const file = files.find(mentions(/^Functional-blocks\s*:/m)) ?? files[0]!;
  const text = yamlOf(file);
  const result = readShape(text, rfbGraphShape, {});
  return 'value' in result ? new Reading(result.value, text).service() : { problems: result.problems };
}

interface Placed {
  readonly block: RfbBlock;
  readonly index: number;
}

interface Unit {
  readonly native: NativeUnit & { readonly ports: NativePort[] };
  readonly at: string;
  readonly portNames: Names;
}

class Reading {
  readonly #graph: RfbGraph;
  readonly #text: YamlText;
  readonly #found = new Report();
  readonly #origins = new Origins();
  readonly #blocks = new Map<string, Placed>();
  readonly #units = new Map<string, Unit>();

  constructor(graph: RfbGraph, text: YamlText) {
    this.#graph = graph;
    this.#text = text;
  }

  service(): ReadResult {
    this.#graph['Functional-blocks'].forEach((block, index) => {
      if (this.#blocks.has(block.name))
        this.#report(
          'error',
          'SF-DESCRIPTOR-DUPLICATE-KEY',
          index,
          'name',
          `there is a block '${shorten(block.name)}' already`,
        );
      else this.#blocks.set(block.name, { block, index });
    });
    const parents = this.#parents();
    if (this.#found.failed) return { problems: this.#found.problems };
    this.#checkCycles(parents);
    if (this.#found.failed) return { problems: this.#found.problems };
    const functions = this.#functions(parents);
    const networks = this.#links();
    const label = new Names().label(this.#graph.metadata.name);
    const { name: written, ...metadata } = this.#graph.metadata;
    const levels = [...this.#blocks.values()].filter(({ block }) => !isLeaf(block)).map(({ block }) => block);
    this.#origins.note('', this.#text.locate([]));
    const service: NativeService = {
      name: label,
      version: '1.0',
      networks,
      functions,
      carried: { cran: { ...renamed(written, label), kind: this.#graph.kind, metadata, blocks: levels } },
    };
    return toService(service, this.#origins, this.#found.problems);
  }

  /** The block that each block lies in. */
  #parents(): ReadonlyMap<string, string> {
    const parents = new Map<string, string>();
    for (const { block, index } of this.#blocks.values()) {
      for (const member of block['rfb-list'] ?? []) {
        const before = parents.get(member);
        if (!this.#blocks.has(member))
          this.#report('error', 'SF-DESCRIPTOR-REFERENCE', index, 'rfb-list', `there is no block '${shorten(member)}'`);
        else if (before !== undefined)
          this.#report(
            'error',
            'SF-DESCRIPTOR-VALUE',
            index,
            'rfb-list',
            `'${shorten(member)}' lies in '${shorten(before)}' already`,
          );
        else parents.set(member, block.name);
      }
      if (isLeaf(block) && (block['rfb-list']?.length ?? 0) > 0)
        this.#report(
          'error',
          'SF-DESCRIPTOR-VALUE',
          index,
          'rfb-list',
          `'${shorten(block.name)}' is a leaf: nothing lies in it`,
        );
    }
    return parents;
  }

  /** As every block lies in one at most, going up from each ends, or comes back. */
  #checkCycles(parents: ReadonlyMap<string, string>): void {
    const sound = new Set<string>();
    for (const { block, index } of this.#blocks.values()) {
      const path = new Set<string>();
      for (let at: string | undefined = block.name; at !== undefined && !sound.has(at); at = parents.get(at)) {
        if (path.has(at))
          return this.#report('error', 'SF-MODEL-CYCLE', index, 'rfb-list', `'${shorten(at)}' lies inside itself`);
        path.add(at);
      }
      for (const one of path) sound.add(one);
    }
  }

  #functions(parents: ReadonlyMap<string, string>): NativeFunction[] {
    const labels = new Names();
    const leaves = [...this.#blocks.values()].filter(({ block }) => isLeaf(block));
    const groups = new Map<string, Placed[]>();
    for (const leaf of leaves) {
      const group = parents.get(leaf.block.name) ?? leaf.block.name;
      const list = groups.get(group);
      if (list === undefined) groups.set(group, [leaf]);
      else list.push(leaf);
    }
    return [...groups].map(([group, members], i) => {
      const label = labels.label(group);
      this.#origins.note(`functions[${i}]`, this.#text.locate(['Functional-blocks', this.#blocks.get(group)!.index]));
      const within = new Names();
      return {
        name: label,
        units: members.map(({ block, index }, j) =>
          this.#unit(block, index, within.label(block.name), `functions[${i}].units[${j}]`),
        ),
        ...(group === label ? {} : { carried: { cran: { id: group } } }),
      };
    });
  }

  #unit(block: RfbBlock, index: number, label: string, at: string): NativeUnit {
    const { name: written, type, zone, links: _links, ...rest } = block;
    this.#origins.note(at, this.#text.locate(['Functional-blocks', index]));
    const zones = [zone ?? []].flat();
    const [tier, second] = zones;
    const image = type ?? written;
    this.#report(
      'warning',
      'SF-DESCRIPTOR-ASSUMED',
      index,
      'type',
      `nothing says how '${shorten(written)}' runs: a machine with an image '${shorten(image)}' is assumed`,
    );
    if (second !== undefined)
      this.#report(
        'warning',
        'SF-DESCRIPTOR-UNSUPPORTED',
        index,
        'zone',
        `'${shorten(written)}' may be in several zones: none of them is asked for`,
      );
    const native = {
      name: label,
      environment: 'vm' as const,
      image: `name:${image}`,
      ports: [],
      ...(tier === undefined || second !== undefined ? {} : { requirements: { location: { tier } } }),
      carried: { cran: { ...renamed(written, label), ...rest, ...(zone === undefined ? {} : { zone }) } },
    };
    this.#units.set(written, { native, at, portNames: new Names() });
    return native;
  }

  #links(): NonNullable<NativeService['networks']> {
    const labels = new Names();
    const networks: NonNullable<NativeService['networks']> = [];
    for (const { block, index } of this.#blocks.values()) {
      block.links?.forEach((link) => {
        if (!this.#blocks.has(link))
          return this.#report(
            'error',
            'SF-DESCRIPTOR-REFERENCE',
            index,
            'links',
            `there is no block '${shorten(link)}'`,
          );
        const ends = [this.#units.get(block.name), this.#units.get(link)];
        // Links between blocks of higher levels are drawn once more between their leaves.
        if (ends[0] === undefined && ends[1] === undefined) return;
        if (ends[0] === undefined || ends[1] === undefined || block.name === link)
          return this.#report(
            'error',
            'SF-DESCRIPTOR-VALUE',
            index,
            'links',
            `'${shorten(block.name)}' and '${shorten(link)}' cannot be linked: both have to be leaves, and two`,
          );
        const network = labels.fresh(`${block.name}-${link}`);
        const prefix = assumedPrefix(networks.length);
        const position = this.#text.locate(['Functional-blocks', index, 'links']);
        this.#origins.note(`networks[${networks.length}]`, position);
        this.#report(
          'warning',
          'SF-DESCRIPTOR-ASSUMED',
          index,
          'links',
          `nothing says which addresses link '${network}' has: ${prefix} is assumed`,
        );
        networks.push({ name: network, prefix, carried: { cran: ASSUMED } });
        for (const [unit, other] of [
          [ends[0], link],
          [ends[1], block.name],
        ] as const) {
          const port = unit.portNames.fresh(other);
          this.#origins.note(`${unit.at}.ports[${unit.native.ports.length}]`, position);
          unit.native.ports.push({
            name: port,
            network,
            ...(port.length > 15 ? { internalIf: `eth${unit.native.ports.length}` } : {}),
          });
        }
      });
    }
    return networks;
  }

  #report(
    severity: Problem['severity'],
    code: keyof typeof dialectErrors | 'SF-MODEL-CYCLE',
    index: number,
    field: string,
    message: string,
  ): void {
    const position = this.#text.locate(['Functional-blocks', index, field]);
    if (severity === 'error') this.#found.error(code, position, message);
    else this.#found.warn(code, position, message);
  }
}

function isLeaf(block: RfbBlock): boolean {
  return block['rfb-level'] === 'leaf';
}
