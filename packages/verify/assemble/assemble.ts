import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import { block, type Instruction } from '../ir/instruction.ts';
import { inputLimits } from '../limits.ts';
import type { BoxModel } from '../models/box-model.ts';
import { routerModel } from '../models/router.ts';
import { type Box, boxOf, type Network, type PortId } from '../network.ts';
import { type FileReading, LineLedger } from '../read/ledger.ts';
import type { InputFile } from '../read/reader.ts';
import { readFib, recogniseFib } from '../readers/fib/fib.ts';
import { looksLikeLinks, readLinks } from '../readers/links.ts';

export interface Assembled {
  readonly network: Network;
  /** What was understood of each file, and what was not. */
  readonly readings: readonly FileReading[];
}

/**
 * A network from the files that people have. Each file is recognised by what is in it; a box is named after its file. A box
 * of which lines were not understood puts a doubt on every packet that goes through it.
 */
export function assemble(name: string, files: readonly InputFile[]): Assembled {
  if (files.length > inputLimits.files) tooLarge(`${files.length} files`, `${inputLimits.files} files`);
  const boxes = new Map<string, Box>();
  const programs = new Map<PortId, Instruction>();
  const routines = new Map<string, Instruction>();
  const links = new Map<PortId, PortId[]>();
  const readings: FileReading[] = [];

  const add = (model: BoxModel, reading: FileReading) => {
    if (boxes.has(model.box.name)) {
      throw new SuperfluidityError('SF-VERIFY-INPUT', {
        doing: `read ${reading.file}`,
        reason: `there are two files for the box ${model.box.name}`,
        data: { file: reading.file },
      });
    }
    boxes.set(model.box.name, model.box);
    for (const [port, program] of model.programs) programs.set(port, doubted(program, reading));
    for (const [routine, body] of model.routines ?? []) routines.set(routine, body);
    readings.push(reading);
  };

  for (const file of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    if (file.text.length > inputLimits.fileBytes) tooLarge(file.path, `${inputLimits.fileBytes} characters`);
    const fib = recogniseFib(file.text);
    if (looksLikeLinks(file.text)) {
      const { value, reading } = readLinks(file);
      readings.push(reading);
      for (const { from, to } of value) links.set(from, [...(links.get(from) ?? []), to]);
    } else if (fib !== undefined) {
      const { value, reading } = readFib(file, fib);
      add(routerModel(nameOf(file.path), value), reading);
    } else readings.push(unrecognised(file));
  }
  return { network: { name, boxes, programs: withInputs(programs, links), links, routines }, readings };
}

/** A link may end at any port of a box that treats all its inputs alike, which is what its port `in` says. */
function withInputs(
  programs: ReadonlyMap<PortId, Instruction>,
  links: ReadonlyMap<PortId, readonly PortId[]>,
): ReadonlyMap<PortId, Instruction> {
  const all = new Map(programs);
  for (const port of [...links.values()].flat()) {
    const input = programs.get(`${boxOf(port)}:in`);
    if (!all.has(port) && input !== undefined) all.set(port, input);
  }
  return all;
}

function doubted(program: Instruction, { file, lines, remarks }: FileReading): Instruction {
  const count = lines['not understood'];
  if (count === 0) return program;
  const first = remarks.find(({ fate }) => fate === 'not understood');
  const what = `${count} ${count === 1 ? 'line' : 'lines'} of ${file}, first line ${first?.line ?? '?'}: ${first?.why ?? ''}`;
  return block({ op: 'doubt', what }, program);
}

function nameOf(path: string): string {
  const base = path.slice(path.lastIndexOf('/') + 1);
  const dot = base.lastIndexOf('.');
  return dot > 0 ? base.slice(0, dot) : base;
}

function unrecognised(file: InputFile): FileReading {
  const lines = file.text.split('\n');
  const ledger = new LineLedger(file.path, 'not recognised', lines.length);
  lines.forEach((line, i) => {
    if (line.trim() !== '') ledger.notUnderstood(i + 1, 'the format of the file is not recognised');
  });
  const reading = ledger.reading();
  return { ...reading, remarks: reading.remarks.slice(0, 1) };
}

function tooLarge(what: string, most: string): never {
  throw new SuperfluidityError('SF-VERIFY-LIMIT', { reason: `${what}, at most ${most}` });
}
