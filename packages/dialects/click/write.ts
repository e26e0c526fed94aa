import type { Block, Service } from '@superfluidity/model';
import { isAssumed } from '../assumed.ts';
import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { FreeNames } from '../free-names.ts';
import { spells } from '../names.ts';
import { differences } from './compare.ts';
import type { UnitGraph } from './graph.ts';
import { librariesOf, settled } from './program.ts';
import { pathOf, stem } from './read.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * A file for each unit that is a Click configuration: its program, as it is if its elements are those of the program, else
 * with what was changed in them.
 */
export function writeClick(service: Service, lose: Lose): readonly DescriptorFile[] {
  const { name } = service.block;
  const programs = service.block.children.flatMap((fn, i) =>
    fn.children.flatMap((unit, j) => {
      const at = `functions[${i}].units[${j}]`;
      if (unit.execution?.environment === 'click') return [{ fn, unit, at }];
      lose(at, `'${fn.name}/${unit.name}', which is no Click configuration`);
      return [];
    }),
  );
  const libraries = librariesOf(service.block);
  const attached = new Set<string>();
  const paths = new FreeNames();
  const files = programs.map(({ fn, unit, at }): DescriptorFile => {
    const { program, graph, isChanged } = settled(unit, libraries);
    if (isChanged && graph !== undefined)
      for (const { path, what } of differences(unit, graph)) lose(`${at}${path}`, what);
    losePorts(graph, unit, at, lose, attached);
    const own = fn.children.length === 1 ? fn.name : `${fn.name}-${unit.name}`;
    if (own !== unit.name) lose(`${at}.name`, `the name of unit '${fn.name}/${unit.name}'`);
    const wanted = pathFor(fn, own, name, programs.length);
    const path = paths.claim(wanted, (n) => wanted.replace(/(?:\.click)?$/, `-${n}.click`));
    return { path, bytes: new TextEncoder().encode(program) };
  });
  service.networks.forEach((network, i) => {
    if (!isAssumed('click', network) || !attached.has(network.name))
      lose(`networks[${i}]`, `network '${network.name}'`);
  });
  const required = Object.entries(libraries).filter(([path]) => isSafe(path) && !paths.has(path));
  return [...files, ...required.map(([path, text]) => ({ path, bytes: new TextEncoder().encode(text) }))];
}

/** The file from which it was read, unless the function has another name since. */
function pathFor(fn: Block, name: string, service: string, functions: number): string {
  const { file } = (fn.carried?.['click'] ?? {}) as Fields;
  const isSame = typeof file === 'string' && isSafe(file) && spells(stem(file), name);
  return isSame ? file : pathOf(service, name, functions);
}

function isSafe(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.split('/').includes('..') && !path.includes('\0');
}

/** Ports are the devices that the program names. */
function losePorts(graph: UnitGraph | undefined, unit: Block, at: string, lose: Lose, attached: Set<string>): void {
  const devices = new Set(graph?.ports.map(({ name, internalIf = name }) => internalIf));
  const own = new Set(graph?.ports.flatMap(({ name, device }) => (device === undefined ? [name] : [])));
  unit.ports.forEach((port, i) => {
    const inside = port.internalIf ?? port.name;
    if (!devices.has(inside) && !own.has(port.name)) lose(`${at}.ports[${i}]`, `port '${port.name}' of '${unit.name}'`);
    else if (port.network !== undefined) attached.add(port.network);
  });
}
