import { nearest } from '@superfluidity/core';
import { meta, type Meta } from '../../ir/expression.ts';
import { block, branch, drop, forward, type Instruction, nothing } from '../../ir/instruction.ts';
import type { PortId } from '../../network.ts';
import type { ClickConfiguration, ClickConnection, ClickElement } from '@superfluidity/click';
import { unusable } from '../../read/lines.ts';
import type { BoxModel } from '../box-model.ts';
import { AddressNames } from './address-names.ts';
import type { ElementContext, ElementModel } from './element.ts';
import { clickElements } from './elements.ts';
import { leave, routines } from './headers.ts';

export interface ClickModel extends BoxModel {
  /** Where packets come into the box: FromDevice and its like, and inputs that nothing inside leads to. */
  readonly entries: readonly PortId[];
  /** Where they leave it: ToDevice and its like. They are edges of the network unless something is linked to them. */
  readonly exits: readonly PortId[];
  /** Outputs that are not connected to anything. Click refuses such configurations; here they can be linked to other boxes. */
  readonly openOutputs: readonly PortId[];
}

/** Input `port` of an element: `box:element:0`. */
export function clickInput(box: string, element: string, port = 0): PortId {
  return `${box}:${element}:${port}`;
}

/** An output that nothing inside is connected to: `box:element:out1`. */
export function clickOutput(box: string, element: string, port = 0): PortId {
  return `${box}:${element}:out${port}`;
}

/** Packets come in by this port of an element that both sends and receives, such as KernelTun. */
function clickEntry(box: string, element: string): PortId {
  return `${box}:${element}:in`;
}

/**
 * A Click configuration as a box. Throws SF-VERIFY-INPUT, with file and line, for classes of elements without a model and for
 * arguments that an element does not take.
 */
export function clickModel(box: string, configuration: ClickConfiguration): ClickModel {
  return new ClickBuilder(box, configuration).build();
}

class ClickBuilder {
  readonly #box: string;
  readonly #configuration: ClickConfiguration;
  readonly #elements: ReadonlyMap<string, ClickElement>;
  readonly #outgoing = new Map<string, ClickConnection[][]>();
  readonly #inputs = new Map<string, number>();
  readonly #fed = new Set<PortId>();
  readonly #names: AddressNames;
  readonly #annotations = new Map<string, Meta>();
  readonly #open = new Set<PortId>();

  constructor(box: string, configuration: ClickConfiguration) {
    this.#box = box;
    this.#configuration = configuration;
    this.#elements = new Map(configuration.elements.map((element) => [element.name, element]));
    this.#names = new AddressNames(configuration.elements);
    for (const connection of configuration.connections) {
      const ports = this.#outgoing.get(connection.from) ?? [];
      this.#outgoing.set(connection.from, ports);
      (ports[connection.fromPort] ??= []).push(connection);
      this.#inputs.set(connection.to, Math.max(this.#inputs.get(connection.to) ?? 0, connection.toPort + 1));
      this.#fed.add(clickInput(box, connection.to, connection.toPort));
    }
  }

  build(): ClickModel {
    const programs = new Map<PortId, Instruction>();
    const entries: PortId[] = [];
    const exits: PortId[] = [];
    for (const element of this.#configuration.elements) {
      const model = this.#modelOf(element);
      const made = model.program(this.#context(element));
      const used = this.#inputs.get(element.name) ?? 0;
      if (model.kind === 'both') {
        exits.push(clickInput(this.#box, element.name));
        programs.set(clickInput(this.#box, element.name), made[0]!);
        const entry = clickEntry(this.#box, element.name);
        entries.push(entry);
        programs.set(entry, made[1]!);
        continue;
      }
      for (let input = 0; input < Math.max(used, made.length); input += 1) {
        const port = clickInput(this.#box, element.name, input);
        // Most elements do the same for all inputs; rewriters have one specification for each.
        const program = made[input] ?? (made.length === 1 ? made[0]! : drop('there is no such input', element.source));
        programs.set(port, program);
        if (model.kind === 'exit') exits.push(port);
        else if (!this.#fed.has(port)) entries.push(port);
      }
    }
    const clean = this.#clean();
    for (const port of exits) programs.set(port, clean);
    for (const port of this.#open) programs.set(port, clean);
    const [first] = this.#configuration.elements;
    return {
      box: {
        name: this.#box,
        kind: 'click',
        ...(first === undefined ? {} : { source: { file: first.source.file, line: 1 } }),
      },
      programs,
      routines,
      entries,
      exits,
      openOutputs: [...this.#open],
    };
  }

  #modelOf({ name, className, source }: ClickElement): ElementModel {
    const model = clickElements.get(className);
    if (model !== undefined) return model;
    const named = [...this.#elements.keys()].filter((each) => !each.includes('@'));
    const near = nearest(className, [...clickElements.keys(), ...named]);
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    throw unusable(source.file, source.line, `${name}: there is no model of the element class ${className}${hint}`);
  }

  #context(element: ClickElement): ElementContext {
    const outgoing = this.#outgoing.get(element.name) ?? [];
    const isConnected = (output: number) => (outgoing[output]?.length ?? 0) > 0;
    const to = (output: number): Instruction => {
      const connections = outgoing[output] ?? [];
      if (connections.length === 0) {
        const port = clickOutput(this.#box, element.name, output);
        this.#open.add(port);
        return forward(port, element.source);
      }
      // Several are connected to a pull output: whichever asks first gets the packet.
      const branches = connections.map(({ to: target, toPort }) => forward(clickInput(this.#box, target, toPort)));
      return branches.length === 1 ? branches[0]! : { op: 'choose', branches, source: element.source };
    };
    return {
      box: this.#box,
      element,
      inputs: this.#inputs.get(element.name) ?? 0,
      outputs: outgoing.length,
      names: this.#names,
      elements: this.#elements,
      isConnected,
      to,
      toOrDrop: (output, why) => (isConnected(output) ? to(output) : drop(why, element.source)),
      annotation: (name) => {
        const known = this.#annotations.get(name) ?? meta(name, this.#box);
        this.#annotations.set(name, known);
        return known;
      },
    };
  }

  /** Annotations do not leave the box, and the packet begins where its data does. */
  #clean(): Instruction {
    return block(
      leave,
      ...[...this.#annotations.values()].map((at) => branch({ kind: 'exists', at }, { op: 'deallocate', at }, nothing)),
    );
  }
}
