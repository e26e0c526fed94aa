import { clickProgram } from '@superfluidity/dialects/languages';
import type { Block, Link } from '@superfluidity/model';
import { freeName } from './edits.ts';
import type { End } from './edits.ts';
import type { LevelEdge, LevelNode } from './level.ts';
import type { Placed } from './reading.ts';
import { Refused } from './yaml-edit.ts';

/**
 * Changes of the graph of a Click program: of its unit, or of a compound element inside, which have their elements as
 * children. What comes out is the block as it is wanted; `programOf` writes the text of the whole program.
 */

/** The text of the program in which a block was changed. The line leads from the unit to that block. */
export function programOf(line: readonly Placed[], changed: Block): string {
  const unit = line.slice(0, -1).reduceRight((inner, { block }) => {
    return { ...block, children: block.children.map((child) => (child.name === inner.name ? inner : child)) };
  }, changed);
  return clickProgram(unit);
}

export function addElement(
  open: Block,
  className: string,
  configuration?: string,
): { readonly changed: Block; readonly name: string } {
  const name = freeName(
    className,
    open.children.map((child) => child.name),
  );
  const said = { class: className, ...(configuration === undefined ? {} : { configuration }) };
  const element: Block = {
    kind: 'element',
    name,
    ports: [],
    children: [],
    links: [],
    requirements: {},
    carried: { click: said },
  };
  return { changed: { ...open, children: [...open.children, element] }, name };
}

export function removeElements(open: Block, nodes: readonly LevelNode[], edges: readonly LevelEdge[]): Block {
  const gone = new Set(nodes.flatMap((node) => (node.kind === 'element' ? [node.name] : [])));
  const cut = new Set(edges.flatMap((edge) => (edge.kind === 'link' ? [edge.name] : [])));
  const links = open.links.filter(
    ({ ends }) =>
      !cut.has(ends.join(' → ')) && !ends.some((end) => end.includes('.') && gone.has(end.slice(0, end.indexOf('.')))),
  );
  const children = open.children.filter(({ name }) => !gone.has(name));
  if (children.length === 0) throw new Refused('an element is left at least: delete the whole instead');
  return { ...open, children, links };
}

/**
 * From an output of one element to an input of another; those that are not named are the first that are free. In a compound
 * element, its own inputs are where packets come from, and its outputs where they go.
 */
export function linkElements(open: Block, from: End, to: End): Block {
  const isBorder = ({ node }: End) => node.kind === 'port';
  if (open.kind === 'unit' && (isBorder(from) || isBorder(to)))
    throw new Refused('ports of the unit are the devices of its program: write FromDevice or ToDevice');
  const isReversed = comesOut(to) === true || comesOut(from) === false;
  const [source, target] = isReversed ? [to, from] : [from, to];
  if (comesOut(source) === false || comesOut(target) === true)
    throw new Refused('a connection leads from an output to an input');
  const used = new Set(open.links.flatMap(({ ends }) => ends));
  const end = ({ node, port }: End, side: 'out' | 'in') => {
    if (node.kind === 'port') return { text: node.name };
    // An input takes packets of many; an output of Click leads to one place.
    const free = () =>
      side === 'in'
        ? 'in0'
        : Array.from({ length: 256 }, (_, i) => `out${i}`).find((one) => !used.has(`${node.name}.${one}`));
    const chosen = port?.startsWith(side) === true ? port : (free() ?? 'out0');
    return { text: `${node.name}.${chosen}`, name: node.name, port: chosen };
  };
  const [a, b] = [end(source, 'out'), end(target, 'in')];
  const link: Link = {
    name: freeName(
      'new',
      open.links.map(({ name }) => name),
    ),
    ends: [a.text, b.text],
  };
  if (open.links.some(({ ends }) => ends.join(' ') === link.ends.join(' ')))
    throw new Refused('they are connected already');
  const withPort = (block: Block): Block => {
    const port = block.name === a.name ? a.port : block.name === b.name ? b.port : undefined;
    if (port === undefined || block.ports.some((one) => one.name === port)) return block;
    return { ...block, ports: [...block.ports, { name: port }] };
  };
  return { ...open, children: open.children.map(withPort), links: [...open.links, link] };
}

/** Whether packets come out of an end, or go in; undefined where it may be either. */
function comesOut({ node, port }: End): boolean | undefined {
  if (node.kind === 'port') return node.name.startsWith('in');
  if (port === undefined) return undefined;
  return port.startsWith('out') ? true : port.startsWith('in') ? false : undefined;
}

/** Another configuration or class of one element. */
export function configureElement(
  open: Block,
  name: string,
  field: 'class' | 'configuration',
  value: string | undefined,
): Block {
  const children = open.children.map((child) => {
    if (child.name !== name) return child;
    const { [field]: _before, ...said } = (child.carried?.['click'] ?? {}) as Readonly<Record<string, unknown>>;
    return { ...child, carried: { ...child.carried, click: value === undefined ? said : { ...said, [field]: value } } };
  });
  return { ...open, children };
}
