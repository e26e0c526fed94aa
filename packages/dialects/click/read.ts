import { ClickMistake, type ClickFile, parseClick } from '@superfluidity/click';
import { nearest, type Position } from '@superfluidity/core';
import { type Block, deepFreeze, type Service } from '@superfluidity/model';
import { ASSUMED, assumedPrefix } from '../assumed.ts';
import type { ReadResult } from '../dialect.ts';
import { dialectLimits } from '../errors.ts';
import type { DescriptorFile } from '../files.ts';
import { Names, renamed } from '../names.ts';
import type { NativeFunction, NativePort, NativeService } from '../native/schema.ts';
import { Origins } from '../origins.ts';
import { Report } from '../report.ts';
import { TextPositions } from '../text-positions.ts';
import { toService } from '../to-service.ts';
import { decodeUtf8 } from '../utf8.ts';
import { shorten } from '../yaml-text.ts';
import { graphOf, type UnitGraph, unitGraph, type WholeGraph } from './graph.ts';
import { clickFiles } from './recognise.ts';

type NativeNetwork = NonNullable<NativeService['networks']>[number];

/** A file of the package that is Click. */
interface Source {
  readonly path: string;
  readonly text: string;
  readonly positions: TextPositions;
}

/**
 * Reads Click configurations (click(5), and the language as Click 2.1 takes it). Each file is a function with one unit,
 * whose program it is; files that others `require` as libraries are parts of those. Elements are blocks inside of the unit,
 * for whoever draws or edits them: the program alone is what runs. Ports are the devices that elements name, and
 * `input` and `output` where they are used without a compound around them. Never throws.
 */
export function readClick(files: readonly DescriptorFile[]): ReadResult {
  const report = new Report();
  const origins = new Origins();
  const sources = clickFiles(files).flatMap((file) => sourceOf(file, report) ?? []);
  if (report.failed) return { problems: report.problems };
  const reading = new Reading(sources, origins, report);
  const native = reading.service();
  if (report.failed) return { problems: report.problems, locate: origins.locate };
  const { service, ...read } = toService(native, origins, report.problems);
  return service === undefined ? read : { ...read, service: reading.withElements(service) };
}

function sourceOf({ path, bytes }: DescriptorFile, report: Report): Source | undefined {
  const at = { file: path, line: 1, column: 1 };
  if (bytes.byteLength > dialectLimits.clickBytes) {
    const [mib, most] = [bytes.byteLength, dialectLimits.clickBytes].map((size) => (size / 2 ** 20).toFixed(1));
    report.error('SF-DESCRIPTOR-TOO-LARGE', at, `the file has ${mib} MiB, allowed are ${most} MiB`);
    return undefined;
  }
  const text = decodeUtf8(bytes);
  if (typeof text === 'string') return { path, text, positions: new TextPositions(text, path) };
  report.error('SF-DESCRIPTOR-ENCODING', { file: path, ...text }, 'bytes that are not UTF-8');
  return undefined;
}

const codes = {
  syntax: 'SF-DESCRIPTOR-SYNTAX',
  twice: 'SF-DESCRIPTOR-DUPLICATE-KEY',
  form: 'SF-DESCRIPTOR-REFERENCE',
  limit: 'SF-DESCRIPTOR-TOO-LARGE',
} as const;

/** Words that may be a slip of the keyboard: each is compared with all names. */
const SUSPECTS_MAX = 20;

class Reading {
  readonly #sources: ReadonlyMap<string, Source>;
  readonly #origins: Origins;
  readonly #report: Report;
  readonly #networks: NativeNetwork[] = [];
  readonly #networkNames = new Names();
  readonly #required = new Set<string>();
  #suspects = 0;
  /** Of each function. */
  readonly #graphs: UnitGraph[] = [];

  constructor(sources: readonly Source[], origins: Origins, report: Report) {
    this.#sources = new Map(sources.map((source) => [source.path, source]));
    this.#origins = origins;
    this.#report = report;
  }

  service(): NativeService {
    const all = [...this.#sources.values()].flatMap((source) => {
      const file = this.#parse(source);
      return file === undefined ? [] : [{ source, file }];
    });
    const mains = all.filter(({ source }) => !this.#required.has(source.path));
    const [first] = this.#sources.keys();
    const name = serviceName([...this.#sources.keys()], mains.length);
    const label = new Names().label(name);
    if (first !== undefined) this.#origins.note('', { file: first, line: 1, column: 1 });
    const names = new Names();
    const functions = mains.map(({ source, file }, i) =>
      this.#function(source, file, names.fresh(stem(source.path)), label, mains.length, `functions[${i}]`),
    );
    const libraries = [...this.#required].flatMap((path) => this.#sources.get(path) ?? []);
    const said = {
      ...renamed(name, label),
      ...(libraries.length === 0
        ? {}
        : { libraries: Object.fromEntries(libraries.map(({ path, text }) => [path, text])) }),
    };
    return {
      name: label,
      version: '1.0',
      networks: this.#networks,
      functions,
      ...(Object.keys(said).length === 0 ? {} : { carried: { click: said } }),
    };
  }

  /** Elements and links are sound as they are made: to check a hundred thousand of them would take as long as to make them. */
  withElements(service: Service): Service {
    const functions = service.block.children.map((fn, i): Block => {
      const { elements, links } = this.#graphs[i]!;
      return { ...fn, children: fn.children.map((unit) => ({ ...unit, children: elements, links })) };
    });
    return deepFreeze({ ...service, block: { ...service.block, children: functions } });
  }

  #parse({ path, text }: Source): ClickFile | undefined {
    const mistake = (found: ClickMistake) =>
      this.#report.error(codes[found.kind], this.#at(found.place), shortened(found.message));
    try {
      const file = parseClick(path, text, { mistake, library: (name) => this.#library(name, path) });
      for (const { library, place } of file.requirements) {
        if (library === undefined) continue;
        const message = `the library '${shorten(library)}' is not among the files: its classes are taken for those of Click`;
        this.#report.warn('SF-DESCRIPTOR-REFERENCE', this.#at(place), message);
      }
      return file;
    } catch (error) {
      if (!(error instanceof ClickMistake)) throw error;
      mistake(error);
      return undefined;
    }
  }

  /** Beside the file that requires it, or by its path in the package. */
  #library(name: string, from: string): Source | undefined {
    const folder = from.slice(0, from.lastIndexOf('/') + 1);
    const found = this.#sources.get(`${folder}${name}`) ?? this.#sources.get(name);
    if (found !== undefined) this.#required.add(found.path);
    return found;
  }

  #at({ path, offset }: { readonly path: string; readonly offset: number }): Position | undefined {
    return this.#sources.get(path)?.positions.at(offset);
  }

  #function(
    source: Source,
    file: ClickFile,
    name: string,
    service: string,
    functions: number,
    at: string,
  ): NativeFunction {
    const start = { file: source.path, line: 1, column: 1 };
    this.#origins.note(at, start);
    const graph = this.#graph(file);
    const unitAt = `${at}.units[0]`;
    const unit = unitGraph(graph, name);
    this.#graphs.push(unit);
    const ports = this.#ports(unit, name, functions, unitAt);
    this.#noteElements(graph, unitAt);
    if (graph.tooMany) {
      const message = `more than ${dialectLimits.clickElements} elements: they are left to the program, and not told one by one`;
      this.#report.warn('SF-DESCRIPTOR-UNSUPPORTED', start, message);
    }
    this.#suspicious(graph);
    const path = source.path === pathOf(service, name, functions) ? {} : { carried: { click: { file: source.path } } };
    return {
      name,
      ...path,
      units: [
        {
          name,
          environment: 'click',
          program: source.text,
          ...(ports.length === 0 ? {} : { ports }),
        },
      ],
    };
  }

  #graph({ scope }: ClickFile): WholeGraph {
    try {
      return graphOf(scope);
    } catch (error) {
      if (!(error instanceof ClickMistake)) throw error;
      this.#report.error(codes[error.kind], this.#at(error.place), shortened(error.message));
      return NOTHING;
    }
  }

  /** Devices are ports on networks, which Click does not name; those of `input` and `output` are joined by links alone. */
  #ports({ ports }: UnitGraph, fn: string, functions: number, at: string): NativePort[] {
    return ports.map(({ name, internalIf, device }, i) => {
      if (device === undefined) return { name };
      const { place } = device.declared;
      const network = this.#network(functions > 1 ? `${fn}-${device.name}` : device.name, device.name, this.#at(place));
      this.#origins.note(`${at}.ports[${i}]`, () => this.#at(place));
      return { name, network, ...(internalIf === undefined ? {} : { internalIf }) };
    });
  }

  #network(name: string, device: string, at: Position | undefined): string {
    const label = this.#networkNames.fresh(name);
    const prefix = assumedPrefix(this.#networks.length);
    const message = `nothing says to which network device '${shorten(device)}' is attached: '${label}' with ${prefix} is assumed`;
    this.#report.warn('SF-DESCRIPTOR-ASSUMED', at, message);
    this.#networks.push({ name: label, prefix, carried: { click: ASSUMED } });
    return label;
  }

  #noteElements(graph: WholeGraph, at: string): void {
    graph.declared.forEach(({ place }, i) => this.#origins.note(`${at}.elements[${i}]`, () => this.#at(place)));
  }

  /** Click takes a word that nobody declared for a class. One that is nearly the name of an element was meant as that. */
  #suspicious(graph: WholeGraph): void {
    const named = graph.declared.filter(({ anonymous }) => !anonymous).map(({ name }) => name);
    for (const { anonymous, compound, configuration, className, place } of graph.declared) {
      if (!anonymous || compound !== undefined || configuration.written || !/^[a-z_]\w\w/.test(className)) continue;
      this.#suspects += 1;
      if (this.#suspects > SUSPECTS_MAX) return;
      const near = nearest(className, named);
      if (near === undefined) continue;
      const message = `there is no element '${shorten(className)}': Click takes it for a class`;
      this.#report.warn('SF-DESCRIPTOR-REFERENCE', this.#at(place), message, `did you mean '${near}'?`);
    }
  }
}

const NOTHING: WholeGraph = {
  elements: [],
  links: [],
  own: { inputs: [], outputs: [] },
  declared: [],
  devices: [],
  tooMany: false,
};

/** Words of a file may be as long as the file. */
function shortened(message: string): string {
  return message.length > MESSAGE_MAX ? `${message.slice(0, MESSAGE_MAX)}...` : message;
}

const MESSAGE_MAX = 300;

/** A file has no name but its own. */
export function stem(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/(?<=.)\.[^.]*$/, '');
}

/** Several files are a service by their folder, and so is one that lies in a folder. */
function serviceName(paths: readonly string[], functions: number): string {
  const [first = '', ...others] = paths;
  let folder = first.slice(0, Math.max(0, first.lastIndexOf('/')));
  while (folder !== '' && !others.every((path) => path.startsWith(`${folder}/`)))
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')));
  const last = folder.slice(folder.lastIndexOf('/') + 1);
  if (last !== '') return last;
  return functions === 1 ? stem(first) : 'click';
}

/** Where a function is written that was not read from a file of another name. */
export function pathOf(service: string, fn: string, functions: number): string {
  return functions === 1 && service === fn ? `${fn}.click` : `${service}/${fn}.click`;
}
