import type { Action, DescriptionModel } from '@superfluidity/dialects/languages';
import type { BlockKind } from '@superfluidity/model';
import type { NodeKind } from './level.ts';

/** What can be added to what is open. */
export interface PaletteEntry {
  readonly id: string;
  readonly label: string;
  readonly kind: NodeKind;
  /** Fields of the native descriptor that it begins with. */
  readonly template: Readonly<Record<string, unknown>>;
  readonly about?: string;
}

/** Families of RDCL 3D, and what is one here. A type without a family is what its layer is about. */
const families: Readonly<Record<string, NodeKind>> = {
  vnf: 'function',
  function: 'function',
  virtuallink: 'network',
  network: 'network',
  vdu: 'unit',
  unit: 'unit',
  cp: 'port',
  port: 'port',
  element: 'element',
};

/** The layer that shows the inside of a block: the one that is called so, else the first, the second, the third. */
export function layerOf(model: DescriptionModel, open: BlockKind): string | undefined {
  const ids = [...model.layers.keys()];
  const named = {
    service: ['service', 'ns'],
    function: ['function', 'vnf'],
    unit: ['unit', 'vdu', 'compact'],
    element: ['element', 'compact'],
  };
  const found = named[open].find((id) => model.layers.has(id));
  return found ?? ids[Math.min({ service: 0, function: 1, unit: 2, element: 2 }[open], ids.length - 1)];
}

const usual = { service: 'function', function: 'unit', unit: 'element', element: 'element' } as const;

export function kindOf(model: DescriptionModel, type: string, open: BlockKind): NodeKind {
  const family =
    model.nodes
      .get(type)
      ?.family?.toLowerCase()
      .replaceAll(/[^a-z]/g, '') ?? '';
  return families[family] ?? usual[open];
}

/** What a model allows to add to a block of this kind. */
export function entriesOf(model: DescriptionModel, open: BlockKind): readonly PaletteEntry[] {
  const layer = model.layers.get(layerOf(model, open) ?? '');
  return [...(layer?.nodes ?? [])].flatMap(([type, rule]) => {
    if (!rule.addable.allowed) return [];
    const { label = type, template = {}, about } = model.nodes.get(type) ?? {};
    const kind = kindOf(model, type, open);
    const isSaid = 'environment' in template || 'units' in template;
    const fields = { name: String(template['name'] ?? label), ...(isSaid ? {} : begin[kind]), ...template };
    return [{ id: type, label, kind, template: fields, ...(about === undefined ? {} : { about }) }];
  });
}

/** What a block needs so that it means something; a model that says more comes first. */
const begin: Readonly<Record<NodeKind, Readonly<Record<string, unknown>>>> = {
  function: { environment: 'container', image: 'host:', command: ['sh', '-c', 'exec sleep infinity'] },
  unit: { environment: 'container', image: 'host:', command: ['sh', '-c', 'exec sleep infinity'] },
  element: {},
  network: {},
  port: {},
};

/**
 * Whether a model allows an edge between kinds of things. Where the layer names no edges at all, everything is allowed that
 * a descriptor can say.
 */
export function mayConnect(model: DescriptionModel, open: BlockKind, from: NodeKind, to: NodeKind): boolean {
  const layer = model.layers.get(layerOf(model, open) ?? '');
  if (layer === undefined || layer.edges.length === 0) return true;
  const kind = (type: string) => kindOf(model, type, open);
  return layer.edges.some(
    (edge) =>
      (kind(edge.from) === from && kind(edge.to) === to) ||
      (!edge.directed && kind(edge.from) === to && kind(edge.to) === from),
  );
}

/** What the menu of a node or an edge offers. Whoever draws knows what the names of the actions do. */
export function actionsOf(model: DescriptionModel, open: BlockKind, of: 'node' | 'link'): readonly Action[] {
  return model.layers.get(layerOf(model, open) ?? '')?.actions[of] ?? [];
}
