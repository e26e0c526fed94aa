import published from './data/published.json' with { type: 'json' };
import type { RfbInstance, RfbNode, Taking } from './instance.ts';

/** Number of users at each of the seven loads of the published scenarios. */
export const publishedLoads: readonly number[] = published.loads;

type Site = (typeof published)['macroSite'];

/**
 * The networks of the published scenarios, in as many copies as `copies` says: in each a macro site and four small sites, whose
 * RFBs may be at their own node or at any macro site's of the copy; MECs may also be in the one data centre of all. A MEC of a
 * macro site may be at any node of its copy.
 */
export function publishedNetwork(copies = 1): Omit<RfbInstance, 'name' | 'users' | 'cells'> {
  const perCopy = 5;
  const centre = perCopy * copies;
  const nodes = Array.from({ length: copies }, (_, copy) => {
    const macro = perCopy * copy;
    const smalls = [1, 2, 3, 4].map((i) => macro + i);
    const own = [macro, ...smalls];
    const prefix = copies === 1 ? '' : `${copy + 1}-`;
    return [
      nodeOf(`${prefix}macro`, published.macroSite, own, [...own, centre]),
      ...smalls.map((node, i) => nodeOf(`${prefix}small-${i + 1}`, published.smallSite, [macro, node], [macro, node])),
    ];
  }).flat();
  const typeOf = new Map(published.rrhTypes.map(({ name }, i) => [name, i]));
  const times = <T extends { readonly most: number }>(list: readonly T[]) =>
    list.map((each) => ({ ...each, most: each.most * copies }));
  return {
    nodes: [...nodes, nodeOf('data-centre', published.dataCentre, [], [])],
    rrhTypes: times(published.rrhTypes),
    bbuTypes: times(published.bbuTypes).map((type) => ({
      ...type,
      rrhTypes: type.rrhTypes.map((name) => typeOf.get(name)!),
    })),
    mecTypes: times(published.mecTypes),
  };
}

function nodeOf(name: string, site: Site, bbuAt: readonly number[], mecAt: readonly number[]): RfbNode {
  const { dedicatedMbps, cpu, memory } = site;
  const rfb: Taking = site.rfb;
  return { name, dedicatedMbps, cpu, memory, bbu: rfb, mec: rfb, bbuAt, mecAt };
}
