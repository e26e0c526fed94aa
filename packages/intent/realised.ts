import { append } from '@superfluidity/core';
import { assemble, boxOf, type Instruction, type Network, type PortId, portsOf } from '@superfluidity/verify';
import type { RealisedPlane, RealisedUnit } from './realised-plane.ts';
import type { Subject, UnitPlaces } from './subject.ts';
import { unitModel } from './unit.ts';

/** The network that the files make, with the places of the units. */
export function realisedNetwork({ service, files, units, unread }: RealisedPlane): Subject {
  const distinct = new Map(files.map(({ name, text }) => [name, text]));
  const { network: read } = assemble(
    service,
    [...distinct].map(([path, text]) => ({ path, text })),
  );
  const { network, assumptions } = withMachines(read, units);
  const found = units.map(({ places, machine, ...unit }) => {
    const boxes = machine === undefined ? [...new Set(places.map(boxOf))] : [unit.name];
    return { ...unit, ...placesIn(network, boxes) };
  });
  const ends = found.flatMap((unit) => unit.ends);
  return {
    network: { ...network, edges: new Set([...(network.edges ?? openEnds(network)), ...ends]) },
    units: found,
    assumptions: [...unread, ...assumptions],
  };
}

/** A box for each virtual machine, at the other end of its wires. */
function withMachines(network: Network, units: readonly RealisedUnit[]): Omit<Subject, 'units'> {
  const machines = units.flatMap(({ name, machine }) => (machine === undefined ? [] : [{ name, ...machine }]));
  if (machines.length === 0) return { network, assumptions: [] };
  const boxes = new Map(network.boxes);
  const programs = new Map<PortId, Instruction>(network.programs);
  const routines = new Map<string, Instruction>(network.routines);
  const unknown = new Map(network.unknown);
  const links = new Map(network.links);
  const assumptions: string[] = [];
  for (const machine of machines) {
    const { name, ports } = machine;
    const model = unitModel({ ...machine, environment: 'vm' });
    boxes.set(name, model.box);
    for (const [port, program] of model.programs) programs.set(port, program);
    for (const [routine, body] of model.routines ?? []) routines.set(routine, body);
    for (const [box, why] of model.unknown ?? []) unknown.set(box, why);
    for (const port of ports) {
      links.set(`${port.place}:out`, [`${name}:${port.interface}:in`]);
      links.set(`${name}:${port.interface}:out`, [`${port.place}:in`]);
    }
    append(assumptions, model.assumptions);
  }
  return { network: { ...network, boxes, programs, routines, unknown, links }, assumptions };
}

function placesIn(network: Network, boxes: readonly string[]): Pick<UnitPlaces, 'starts' | 'ends' | 'all'> {
  return {
    starts: boxes.map((box) => `${box}:local:in`),
    ends: boxes.map((box) => `${box}:local:out`),
    all: [...portsOf(network)].filter((port) => boxes.includes(boxOf(port))),
  };
}

const openEnds = (network: Network): readonly PortId[] =>
  [...portsOf(network)].filter((port) => !network.programs.has(port) && !network.links.has(port));
