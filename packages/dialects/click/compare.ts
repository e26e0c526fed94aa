import type { Block } from '@superfluidity/model';
import type { CarriedElement, UnitGraph } from './graph.ts';

/** What an element of Click is, with what is inside of it. */
export interface Shape {
  readonly name: string;
  readonly said: CarriedElement;
  readonly ports: readonly string[];
  readonly inner: readonly Shape[];
  /** `a.out0 b.in0`, sorted. */
  readonly links: readonly string[];
}

export function shapeOf({ name, ports, children, links, carried }: Block): Shape {
  return {
    name,
    said: saidOf(carried),
    ports: ports.map((port) => port.name),
    inner: children.filter(({ kind }) => kind === 'element').map(shapeOf),
    links: links.map(linkText).toSorted(),
  };
}

export function shapeOfGraph({ name, ports, elements, links }: UnitGraph): Shape {
  return {
    name,
    said: {},
    ports: ports.map((port) => port.name),
    inner: elements.map(shapeOf),
    links: links.map(linkText).toSorted(),
  };
}

/** From where packets come, or the port of the unit, before where they go. */
function linkText({ ends }: { readonly ends: readonly string[] }): string {
  const [first = '', second = ''] = ends;
  return ends.length === 2 && !isSource(first) && isSource(second) ? `${second} ${first}` : ends.join(' ');
}

function isSource(end: string): boolean {
  return end.includes('.') ? /\.out\d+$/.test(end) : !/^out\d+$/.test(end);
}

export function saidOf(carried: Readonly<Record<string, unknown>> | undefined): CarriedElement {
  const fields = carried?.['click'];
  return fields !== null && typeof fields === 'object' ? (fields as CarriedElement) : {};
}

/** Whether two elements are the same inside, in all but what they are called and how they are configured. */
export function sameInside(a: Shape, b: Shape): boolean {
  return (
    a.inner.length === b.inner.length &&
    sameList(a.links, b.links) &&
    a.inner.every((one, i) => sameElement(one, b.inner[i]!))
  );
}

/** The same name, class, configuration, and inside. Ports are those that links use. */
export function sameElement(a: Shape, b: Shape): boolean {
  return a.name === b.name && sameClass(a, b) && configurationOf(a) === configurationOf(b) && sameInside(a, b);
}

export function sameClass(a: Shape, b: Shape): boolean {
  return a.said.class === b.said.class && a.said.parameters === b.said.parameters;
}

/** `A` and `A()` are the same. */
export function configurationOf({ said }: Shape): string {
  return said.configuration?.trim() ?? '';
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}

export interface Difference {
  /** Behind the path of the unit: `.elements[3].ports[0]`. */
  readonly path: string;
  readonly what: string;
}

/** What a unit says and the graph of its program does not. */
export function differences(unit: Block, graph: UnitGraph): readonly Difference[] {
  const found: Difference[] = [];
  compare(shapeOf(unit), shapeOfGraph(graph), '', unit.name, found);
  return found;
}

const DIFFERENCES_MAX = 100;

function compare(wanted: Shape, written: Shape, path: string, name: string, found: Difference[]): void {
  const inner = new Map(written.inner.map((one) => [one.name, one]));
  const links = new Set(written.links);
  for (const link of wanted.links)
    if (!links.has(link)) found.push({ path, what: `the link from '${link.replace(' ', "' to '")}' in '${name}'` });
  wanted.inner.forEach((element, i) => {
    if (found.length > DIFFERENCES_MAX) return;
    const at = `${path}.elements[${i}]`;
    const same = inner.get(element.name);
    if (same === undefined) found.push({ path: at, what: `element '${element.name}'` });
    else {
      const has = new Set(same.ports);
      element.ports.forEach((port, j) => {
        const what = `port '${port}' of '${element.name}', which nothing is linked to`;
        if (!has.has(port)) found.push({ path: `${at}.ports[${j}]`, what });
      });
      if (configurationOf(element) !== configurationOf(same))
        found.push({
          path: at,
          what: `the configuration of '${element.name}', in which a text or a parenthesis has no end`,
        });
      if (element.said.class === undefined && element.inner.length === 0 && same.said.class !== undefined)
        found.push({
          path: at,
          what: `element '${element.name}', which has no class: ${same.said.class} stands for it`,
        });
      // What was not told of the inside was not asked for.
      if (element.inner.length > 0) compare(element, same, at, element.name, found);
    }
  });
}
