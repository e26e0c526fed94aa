import { clickProgram } from '@superfluidity/dialects/languages';
import type { Block, Link } from '@superfluidity/model';
import { freeName } from './edits.ts';
import type { End } from './edits.ts';
import type { LevelEdge, LevelNode } from './level.ts';
import { Refused } from './yaml-edit.ts';

/** Changes of the graph of a Click program: the unit has its elements; what comes out is the text of the program. */

export function addElement(
  unit: Block,
  className: string,
  configuration?: string,
): { readonly program: string; readonly name: string } {
  const name = freeName(
    className,
    unit.children.map((child) => child.name),
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
  return { program: clickProgram({ ...unit, children: [...unit.children, element] }), name };
}

export function removeElements(unit: Block, nodes: readonly LevelNode[], edges: readonly LevelEdge[]): string {
  const gone = new Set(nodes.flatMap((node) => (node.kind === 'element' ? [node.name] : [])));
  const cut = new Set(edges.flatMap((edge) => (edge.kind === 'link' ? [edge.name] : [])));
  const links = unit.links.filter(
    ({ ends }) =>
      !cut.has(ends.join(' → ')) && !ends.some((end) => end.includes('.') && gone.has(end.slice(0, end.indexOf('.')))),
  );
  const children = unit.children.filter(({ name }) => !gone.has(name));
  if (children.length === 0) throw new Refused('a program has an element at least: delete the unit instead');
  return clickProgram({ ...unit, children, links });
}

/** From an output of one element to an input of another; those that are not named are the first that are free. */
export function linkElements(unit: Block, from: End, to: End): string {
  if (from.node.kind !== 'element' || to.node.kind !== 'element')
    throw new Refused('ports of the unit are the devices of its program: write FromDevice or ToDevice');
  const [source, target] =
    from.port?.startsWith('in') === true || to.port?.startsWith('out') === true ? [to, from] : [from, to];
  const end = ({ node, port }: End, side: 'out' | 'in') => {
    if (port?.startsWith(side) === true) return { name: node.name, port };
    const used = new Set(unit.links.flatMap(({ ends }) => ends));
    // An input takes packets of many; an output of Click leads to one place.
    const ports = Array.from({ length: 256 }, (_, i) => `${side}${i}`);
    return {
      name: node.name,
      port: (side === 'in' ? 'in0' : ports.find((one) => !used.has(`${node.name}.${one}`))) ?? 'out0',
    };
  };
  const [a, b] = [end(source, 'out'), end(target, 'in')];
  const link: Link = {
    name: freeName(
      'new',
      unit.links.map(({ name }) => name),
    ),
    ends: [`${a.name}.${a.port}`, `${b.name}.${b.port}`],
  };
  if (unit.links.some(({ ends }) => ends.join(' ') === link.ends.join(' ')))
    throw new Refused('they are connected already');
  const withPort = (block: Block): Block => {
    const port = block.name === a.name ? a.port : block.name === b.name ? b.port : undefined;
    if (port === undefined || block.ports.some((one) => one.name === port)) return block;
    return { ...block, ports: [...block.ports, { name: port }] };
  };
  return clickProgram({ ...unit, children: unit.children.map(withPort), links: [...unit.links, link] });
}

/** Another configuration or class of one element. */
export function configureElement(
  unit: Block,
  name: string,
  field: 'class' | 'configuration',
  value: string | undefined,
): string {
  const children = unit.children.map((child) => {
    if (child.name !== name) return child;
    const { [field]: _before, ...said } = (child.carried?.['click'] ?? {}) as Readonly<Record<string, unknown>>;
    return { ...child, carried: { ...child.carried, click: value === undefined ? said : { ...said, [field]: value } } };
  });
  return clickProgram({ ...unit, children });
}
