import {
  all,
  assign,
  block,
  branch,
  compare,
  type Condition,
  constant,
  type Instruction,
  meta,
  nothing,
  read,
} from '@superfluidity/verify';
import { addressConstant, destination, destinationPort, isProtocol, source, sourcePort } from './addresses.ts';
import type { PlaneBalancer } from './plane.ts';
import type { HostContext } from './host.ts';

const is = (at: typeof sourcePort, port: number): Condition => compare(read(at), '==', constant(port, 16));

/** A flow to the virtual address goes to one of the members, nobody knows which. The host remembers whose flow it was. */
export function balance(host: HostContext, balancer: PlaneBalancer): Instruction {
  const to = all(
    compare(read(destination), '==', addressConstant(balancer.address)),
    isProtocol(transport(balancer)),
    is(destinationPort, balancer.port),
  );
  const ways = addressesOf(host, balancer).map((address) =>
    block(
      assign(client(host, balancer), read(source)),
      assign(destination, addressConstant(address)),
      assign(destinationPort, constant(balancer.targetPort, 16)),
    ),
  );
  if (ways.length === 0) return nothing;
  return branch(to, ways.length === 1 ? ways[0]! : { op: 'choose', branches: ways }, nothing);
}

/** Answers come from the virtual address. */
export function unbalance(host: HostContext, balancer: PlaneBalancer): Instruction {
  const at = client(host, balancer);
  const isAnswer = (address: string) =>
    all(
      { kind: 'exists', at },
      compare(read(destination), '==', read(at)),
      compare(read(source), '==', addressConstant(address)),
      isProtocol(transport(balancer)),
      is(sourcePort, balancer.targetPort),
    );
  const back = block(
    assign(source, addressConstant(balancer.address)),
    assign(sourcePort, constant(balancer.port, 16)),
  );
  return addressesOf(host, balancer).reduceRight<Instruction>(
    (otherwise, address) => branch(isAnswer(address), back, otherwise),
    nothing,
  );
}

const transport = ({ layer }: PlaneBalancer) => (layer === 'udp' ? 'udp' : 'tcp');

const client = (host: HostContext, { name }: PlaneBalancer) => meta(`client of ${name}`, host.name);

function addressesOf({ plane }: HostContext, { members }: PlaneBalancer): readonly string[] {
  return plane.units.flatMap(({ name, ports }) => (members.includes(name) ? (ports[0]?.address ?? []) : []));
}
