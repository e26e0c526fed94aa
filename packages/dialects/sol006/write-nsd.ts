import type { Block, Chain, Policy } from '@superfluidity/model';
import { groupsIn, type Hop } from './form.ts';
import { AUGMENTATION } from './mapping.ts';
import { hopsOf, ruleOf } from './read-chains.ts';
import { graphShape } from './shape.ts';
import type { Fields } from './style.ts';
import { same } from './write-unit.ts';
import { groupIn, textIn, type Writing } from './writing.ts';
import { isKdu } from './write-kdu.ts';

/** Fields of an NSD that follow from the model, or are put together here. */
export const nsdOwn = new Set([
  'id',
  'version',
  'policy',
  'vnfd-id',
  'virtual-link-desc',
  'df',
  'vnffgd',
  'pnfd',
  'alone',
]);

export function writeNsd(w: Writing): Fields {
  const { form, service } = w;
  const { block, policies = [] } = service;
  const all = w.carried(block);
  const carried = Object.fromEntries(
    Object.entries(all).filter(([name]) => !nsdOwn.has(name) && name !== form.description.nsd),
  );
  const id = w.id(block);
  const graphs = [...graphsOf(w), ...groupsIn(all, 'vnffgd')];
  const links = w.outside.map((network) => {
    const {
      'virtual-link-profile': _profiles,
      'int-virtual-link-desc': _inside,
      prefixAssumed: _note,
      id: _id,
      ...link
    } = w.carried(network);
    return { ...form.link(w.id(network)), ...link };
  });
  return {
    id,
    ...form.nsd(id),
    ...carried,
    version: service.version,
    ...(block.description === undefined ? {} : { [form.description.nsd]: block.description }),
    'vnfd-id': [...new Set(block.children.map((fn) => w.vnfdId(fn)))],
    ...(links.length === 0 && form.style === 'osm' ? {} : { 'virtual-link-desc': links }),
    ...(policies.length === 0 ? {} : { [`${AUGMENTATION}:policy`]: policies.map(policyOf) }),
    ...(graphs.length === 0 ? {} : { vnffgd: graphs }),
    df: flavours(w, all),
  };
}

function policyOf({ name, description, claim: { kind, ...said } }: Policy): Fields {
  return { name, ...(description === undefined ? {} : { description }), [kind]: said };
}

function flavours(w: Writing, carried: Fields): readonly Fields[] {
  const { form, service } = w;
  const [first, ...more] = groupsIn(carried, 'df');
  const functions = service.block.children;
  const profiles = functions.map((fn) => profile(w, fn));
  const ids = new Set(functions.map((fn) => w.profileId(fn)));
  const links = w.outside.flatMap((network) =>
    w.keepsLinkProfiles(network)
      ? groupsIn(w.carried(network), 'virtual-link-profile')
      : form.linkProfiles(network, w.id(network)),
  );
  const level = {
    id: form.level,
    'vnf-to-level-mapping': functions.map((fn) => ({ 'vnf-profile-id': w.profileId(fn), 'number-of-instances': 1 })),
  };
  const levels = groupsIn(first ?? {}, 'ns-instantiation-level').map((one) => ({
    ...one,
    ...(one['vnf-to-level-mapping'] === undefined
      ? {}
      : {
          'vnf-to-level-mapping': groupsIn(one, 'vnf-to-level-mapping').filter((entry) =>
            ids.has(String(entry['vnf-profile-id'])),
          ),
        }),
  }));
  const anew =
    form.style === 'osm' ? {} : { 'ns-instantiation-level': [level], 'default-instantiation-level': form.level };
  const df = {
    id: form.flavour,
    ...(profiles.length === 0 ? {} : { 'vnf-profile': profiles }),
    ...(links.length === 0 && form.style === 'osm' ? {} : { 'virtual-link-profile': links }),
    ...(first === undefined
      ? anew
      : { ...first, ...(levels.length === 0 ? {} : { 'ns-instantiation-level': levels }) }),
  };
  return [df, ...more];
}

function profile(w: Writing, fn: Block): Fields {
  const { form } = w;
  const {
    id: _id,
    'vnfd-id': _vnfd,
    'virtual-link-connectivity': connectivity,
    ...carried
  } = groupIn(w.carried(fn), 'vnf-profile');
  const id = w.profileId(fn);
  const usual =
    form.style === 'osm'
      ? {}
      : {
          'flavour-id': form.flavour,
          'instantiation-level': form.level,
          'min-number-of-instances': 1,
          'max-number-of-instances': 1,
        };
  const connected = w.keepsConnection(fn) ? connectivity : connectAnew(w, fn, id);
  return {
    id,
    'vnfd-id': w.vnfdId(fn),
    ...usual,
    ...carried,
    ...(connected === undefined ? {} : { 'virtual-link-connectivity': connected }),
  };
}

function connectAnew(w: Writing, fn: Block, id: string): unknown {
  if (w.form.style !== 'osm') {
    return w.networksOf(fn).map((network) => ({
      'virtual-link-profile-id': w.linkProfileId(network),
      'constituent-cpd-id': [{ 'constituent-base-element-id': id, 'constituent-cpd-id': w.id(network) }],
    }));
  }
  // In the order in which they are read.
  const units = [...fn.children.filter((unit) => !isKdu(unit)), ...fn.children.filter(isKdu)];
  const ports = units.flatMap((unit) =>
    unit.ports.flatMap((port) => {
      const network = w.outside.find(({ name }) => name === port.network);
      const address = port.address === undefined ? {} : { 'ip-address': port.address };
      return network === undefined
        ? []
        : [
            {
              network: w.linkProfileId(network),
              cpd: {
                'constituent-base-element-id': id,
                'constituent-cpd-id': w.externalOf(fn, unit, port),
                ...address,
              },
            },
          ];
    }),
  );
  const links = [...new Set(ports.map(({ network }) => network))];
  if (links.length === 0) return undefined;
  return links.map((link) => ({
    'virtual-link-profile-id': link,
    'constituent-cpd-id': ports.filter(({ network }) => network === link).map(({ cpd }) => cpd),
  }));
}

/** Chains as forwarding graphs: those that carry one graph in that one. */
function graphsOf(w: Writing): readonly Fields[] {
  const graphs = new Map<
    string,
    { readonly graph: Fields; readonly elements: Map<unknown, Fields>; readonly paths: Fields[] }
  >();
  for (const chain of w.service.chains) {
    const { graph, path } = kept(w, chain) ?? anew(w, chain);
    const id = textIn(graph, 'id')!;
    const known = graphs.get(id) ?? { graph, elements: new Map<unknown, Fields>(), paths: [] };
    for (const element of groupsIn(graph, 'nfp-position-element')) known.elements.set(element['id'], element);
    known.paths.push(path);
    graphs.set(id, known);
  }
  return [...graphs.values()].map(({ graph, elements, paths }) => ({
    ...graph,
    'nfp-position-element': [...elements.values()],
    nfpd: paths,
  }));
}

interface WrittenPath {
  readonly graph: Fields;
  readonly path: Fields;
}

function anew(w: Writing, chain: Chain): WrittenPath {
  const hops = [chain.from, ...chain.through, chain.to].map((reference, i): Hop => {
    const { fn, unit, port } = w.place(reference);
    const external = w.externalOf(fn, unit, port);
    return { id: `${i}-${fn.name}-${unit.name}`, profile: w.profileId(fn), vnfd: w.vnfdId(fn), external };
  });
  return { graph: w.form.graph(chain, hops), path: w.form.path(chain, hops) };
}

/** The graph and the path that a chain carries, as long as they lead where the chain does. */
function kept(w: Writing, chain: Chain): WrittenPath | undefined {
  const { vnffgd, nfpd } = w.carried(chain);
  const parsed = graphShape.safeParse({ ...(vnffgd as object | undefined), nfpd: [nfpd] });
  if (nfpd === undefined || !parsed.success) return undefined;
  const [path] = parsed.data.nfpd!;
  const byExternal = externals(w);
  const hops = hopsOf(parsed.data, path!, (profileId, external) => byExternal.get(`${profileId}\n${external}`));
  const wanted = [chain.from, ...chain.through, chain.to].map((reference) => nameOf(w.place(reference)));
  if (
    !same(
      hops.map(({ unit }) => unit ?? ''),
      wanted,
    )
  )
    return undefined;
  const { name: _name, from: _from, through: _through, to: _to, carried: _carried, ...rule } = chain;
  if (same(ruleOf(path!) ?? {}, rule)) return { graph: vnffgd as Fields, path: nfpd as Fields };
  if (w.form.style === 'osm') return undefined;
  return { graph: vnffgd as Fields, path: { ...(nfpd as Fields), rule: w.form.path(chain, [])['rule'] } };
}

const nameOf = ({ fn, unit, port }: ReturnType<Writing['place']>) => `${fn.name}/${unit.name}.${port.name}`;

/** Every port by the external connection point that leads to it, where there is one. */
function externals(w: Writing): ReadonlyMap<string, string> {
  const all = new Map<string, string>();
  for (const fn of w.service.block.children)
    for (const unit of fn.children)
      for (const port of unit.ports)
        all.set(`${w.profileId(fn)}\n${w.externalOf(fn, unit, port)}`, nameOf({ fn, unit, port }));
  return all;
}
