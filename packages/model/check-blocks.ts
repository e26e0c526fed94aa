import type { Autoscale } from './autoscale.ts';
import type { Block, Execution, Scale, Service } from './block.ts';
import { modelLimits } from './errors.ts';
import type { Findings } from './findings.ts';

/** A block with its place in the model (`radio/bbu`) and in the document (`functions[0].units[1]`). */
export interface Placed {
  readonly path: string;
  readonly at: string;
  readonly block: Block;
}

/** Blocks by path; of two with one path, the first. */
export type BlockIndex = ReadonlyMap<string, Placed>;

const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const INTERFACE = /^[a-zA-Z0-9][a-zA-Z0-9._-]*$/;

const listNames: Readonly<Record<Block['kind'], string>> = {
  service: 'services',
  function: 'functions',
  unit: 'units',
  element: 'elements',
};

const mayContain: Readonly<Record<Block['kind'], readonly Block['kind'][]>> = {
  service: ['function'],
  function: ['unit'],
  unit: ['unit', 'element'],
  element: ['element'],
};

/** Checks each block by itself and among its siblings; returns where every block is. */
export function checkBlocks(service: Service, findings: Findings): BlockIndex {
  const index = new Map<string, Placed>();
  if (service.block.kind !== 'service') {
    findings.error('SF-MODEL-KIND', '', `the root is a ${service.block.kind}, not a service`);
  }
  let instances = 0;
  const onPath = new Set<Block>();
  const visit = (block: Block, path: string, at: string, depth: number): void => {
    if (onPath.has(block)) return findings.error('SF-MODEL-CYCLE', at, `'${block.name}' contains itself`);
    if (depth > modelLimits.depth) {
      return findings.error('SF-MODEL-LIMIT', at, `blocks lie more than ${modelLimits.depth} deep inside each other`);
    }
    if (!index.has(path)) index.set(path, { path, at, block });
    checkOne(block, at, findings);
    if (block.kind === 'unit') {
      const before = instances;
      instances += Math.max(1, block.scale?.max ?? 1);
      if (instances > modelLimits.units && before <= modelLimits.units) {
        findings.error('SF-MODEL-LIMIT', at, `more than ${modelLimits.units} units, counted at their largest scale`);
      }
    }
    onPath.add(block);
    const counts = new Map<string, number>();
    const names = new Set<string>();
    for (const child of block.children) {
      const number = counts.get(child.kind) ?? 0;
      counts.set(child.kind, number + 1);
      const childAt = joinAt(at, `${listNames[child.kind]}[${number}]`);
      if (!mayContain[block.kind].includes(child.kind)) {
        findings.error('SF-MODEL-KIND', childAt, `a ${block.kind} cannot contain a ${child.kind}`);
      }
      if (names.has(child.name)) {
        findings.error('SF-MODEL-DUPLICATE', `${childAt}.name`, `'${child.name}' is there already in '${block.name}'`);
      }
      names.add(child.name);
      visit(child, path === '' ? child.name : `${path}/${child.name}`, childAt, depth + 1);
    }
    onPath.delete(block);
  };
  visit(service.block, '', '', 1);
  return index;
}

export function joinAt(at: string, rest: string): string {
  return at === '' ? rest : `${at}.${rest}`;
}

export function checkName(name: string, at: string, findings: Findings): void {
  if (name.length > modelLimits.name || !LABEL.test(name)) {
    const shown = name.length > 80 ? `${name.slice(0, 77)}...` : name;
    findings.error('SF-MODEL-NAME', at, `${JSON.stringify(shown)} is not a DNS label`);
  }
}

function checkOne(block: Block, at: string, findings: Findings): void {
  checkName(block.name, joinAt(at, 'name'), findings);
  checkPortNames(block, at, findings);
  checkLinks(block, at, findings);
  if (block.kind === 'function' && block.children.length === 0) {
    findings.error('SF-MODEL-KIND', at, `function '${block.name}' has no units`);
  }
  if (block.kind === 'unit' && block.execution === undefined) {
    findings.error('SF-MODEL-EXECUTION', at, `unit '${block.name}' does not say in which environment it runs`);
  }
  if (block.execution !== undefined) checkExecution(block.execution, at, findings);
  if (block.scale !== undefined) checkScale(block.scale, joinAt(at, 'scale'), findings);
  if (block.autoscale !== undefined) checkAutoscale(block, block.autoscale, joinAt(at, 'autoscale'), findings);
}

function checkPortNames(block: Block, at: string, findings: Findings): void {
  const most = block.kind === 'element' ? modelLimits.portsPerElement : modelLimits.portsPerBlock;
  if (block.ports.length > most) findings.error('SF-MODEL-LIMIT', joinAt(at, 'ports'), `more than ${most} ports`);
  const names = new Set<string>();
  const interfaces = new Set<string>();
  block.ports.forEach((port, i) => {
    const portAt = joinAt(at, `ports[${i}]`);
    checkName(port.name, `${portAt}.name`, findings);
    if (names.has(port.name)) {
      findings.error('SF-MODEL-DUPLICATE', `${portAt}.name`, `'${block.name}' has a port '${port.name}' already`);
    }
    names.add(port.name);
    const inside = port.internalIf ?? port.name;
    const insideAt = `${portAt}.${port.internalIf === undefined ? 'name' : 'internalIf'}`;
    if (inside.length > modelLimits.interfaceName || !INTERFACE.test(inside)) {
      findings.error(
        'SF-MODEL-NAME',
        insideAt,
        `'${inside.slice(0, 80)}' cannot be the name of an interface: at most ${modelLimits.interfaceName} letters, digits and ._-`,
      );
    }
    if (interfaces.has(inside)) {
      findings.error('SF-MODEL-DUPLICATE', insideAt, `two ports of '${block.name}' are the interface '${inside}'`);
    }
    interfaces.add(inside);
  });
}

/** Ends of links are `child.port`, or `port` of the block itself. */
function checkLinks(block: Block, at: string, findings: Findings): void {
  const ends = new Set(block.ports.map((port) => port.name));
  for (const child of block.children) for (const port of child.ports) ends.add(`${child.name}.${port.name}`);
  const names = new Set<string>();
  block.links.forEach((link, i) => {
    const linkAt = joinAt(at, `links[${i}]`);
    checkName(link.name, `${linkAt}.name`, findings);
    if (names.has(link.name)) {
      findings.error('SF-MODEL-DUPLICATE', `${linkAt}.name`, `'${block.name}' has a link '${link.name}' already`);
    }
    names.add(link.name);
    if (link.ends.length < 2) findings.error('SF-MODEL-REFERENCE', `${linkAt}.ends`, 'a link has two ends or more');
    link.ends.forEach((end, j) => {
      if (!ends.has(end)) findings.missing(`${linkAt}.ends[${j}]`, 'port', end, ends);
    });
  });
}

function checkExecution(execution: Execution, at: string, findings: Findings): void {
  const wrong = (field: string, message: string) => findings.error('SF-MODEL-EXECUTION', joinAt(at, field), message);
  const { environment } = execution;
  if ((environment === 'nft' || environment === 'click') && execution.program === undefined) {
    wrong('environment', `a unit of environment '${environment}' needs a program`);
  }
  if ((environment === 'container' || environment === 'vm') && execution.image === undefined) {
    wrong('environment', `a unit of environment '${environment}' needs an image`);
  }
  if (environment === 'process' && execution.command === undefined) {
    wrong('environment', "a unit of environment 'process' needs a command");
  }
  if (execution.image !== undefined && !/^(host:|guest:|(folder|oci|disk|name):.+)$/s.test(execution.image)) {
    wrong(
      'image',
      `'${execution.image.slice(0, 80)}' is none of host:, folder:PATH, oci:PATH, guest:, disk:PATH, name:IMAGE`,
    );
  }
  if (execution.nested?.descriptor !== undefined && execution.nested.descriptorType === undefined) {
    wrong('nested.descriptor', 'a nested descriptor needs its type beside it');
  }
  for (const field of ['files', 'image'] as const) {
    const path = execution[field]?.startsWith('name:') ? undefined : execution[field]?.replace(/^[a-z]+:/, '');
    if (path !== undefined && (path.startsWith('/') || path.split('/').includes('..') || path.includes('\0'))) {
      wrong(field, 'paths are relative to the descriptor and do not leave its folder');
    }
  }
}

function checkScale(scale: Scale, at: string, findings: Findings): void {
  const { min, initial, max } = scale;
  if (![min, initial, max].every((count) => Number.isInteger(count) && count >= 0)) {
    findings.error('SF-MODEL-SCALE', at, 'min, initial and max are whole numbers that are not negative');
  } else if (min > initial || initial > max) {
    findings.error('SF-MODEL-SCALE', at, `min ${min} <= initial ${initial} <= max ${max} does not hold`);
  }
}

/** Of what has always one instance there is nothing to decide, and a policy does not leave the bounds of scale. */
function checkAutoscale({ scale }: Block, policy: Autoscale, at: string, findings: Findings): void {
  const { min, max } = scale ?? { min: 1, max: 1 };
  if (min >= max) return findings.error('SF-MODEL-SCALE', at, "what scales needs a 'scale' with a min below its max");
  const inside = (count: number) => count >= min && count <= max;
  for (const field of ['min', 'max'] as const) {
    const bound = policy[field];
    if (bound === undefined || inside(bound)) continue;
    findings.error(
      'SF-MODEL-SCALE',
      joinAt(at, field),
      `${field} ${bound} is not within the ${min} to ${max} of scale`,
    );
  }
  const file = 'file' in policy ? policy.file : undefined;
  if (file !== undefined && (file.startsWith('/') || file.split('/').includes('..') || file.includes('\0'))) {
    findings.error(
      'SF-MODEL-SCALE',
      joinAt(at, 'file'),
      'paths are relative to the descriptor and do not leave its folder',
    );
  }
}

export function* unitPaths(index: BlockIndex): Generator<string> {
  for (const { path, block } of index.values()) if (block.kind === 'unit') yield path;
}
