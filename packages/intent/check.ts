import { type Claim, type Policy, type Service, splitPortReference } from '@superfluidity/model';
import {
  block,
  checkFormula,
  type Condition,
  type Formula,
  parseFormula,
  type PortId,
  type Start,
  together,
  type Verdict,
} from '@superfluidity/verify';
import { destinationPort, isProtocol, portsAre } from './addresses.ts';
import { intentLimits } from './limits.ts';
import { answering } from './packets.ts';
import { addressesOf, filterOf, startsOf, unitsAt } from './starts.ts';
import type { Subject, UnitPlaces } from './subject.ts';

export interface PolicyVerdict extends Verdict {
  readonly policy: string;
}

/** Every policy of a service, held against a network. Together they have the time that is given, in milliseconds. */
export function checkPolicies(
  subject: Subject,
  service: Pick<Service, 'policies' | 'chains' | 'block' | 'networks'>,
  milliseconds: number = intentLimits.milliseconds,
  clock: () => number = () => performance.now(),
): readonly PolicyVerdict[] {
  const end = clock() + milliseconds;
  const left = () => end - clock();
  return (service.policies ?? []).map((policy) => {
    const verdict = left() > 0 ? checkPolicy(subject, service as Service, policy, left) : outOfTime(policy);
    return { ...verdict, policy: policy.name };
  });
}

function checkPolicy(subject: Subject, service: Service, policy: Policy, left: () => number): Verdict {
  const { claim, name } = policy;
  const at = (places: readonly string[]) => unitsAt(subject, service, places);
  const questions = questionsOf(claim, subject, service, at);
  const [first, ...more] = questions.map((question) => ask(name, question, left));
  if (first === undefined) return nothingThere(policy);
  return together([first, ...more]);
}

/** One start and what is claimed of its packets: of several claims each says more than the one before it. */
interface Question {
  readonly start: Start;
  readonly network: Subject['network'];
  readonly claims: readonly { readonly formula: Formula; readonly holds: string; readonly violated: string }[];
}

/** The strongest claim, when it holds, answers for all; else the first that does not hold says what is wrong. */
function ask(name: string, { start, network, claims }: Question, left: () => number): Verdict {
  const verdictOn = ({ formula, holds, violated }: Question['claims'][number]): Verdict => {
    const verdict = checkFormula(network, name, formula, [start], { limits: { milliseconds: Math.max(1, left()) } });
    const because = verdict.answer === 'holds' ? holds : verdict.answer === 'violated' ? violated : verdict.because;
    return { ...verdict, because };
  };
  const strongest = verdictOn(claims.at(-1)!);
  if (strongest.answer === 'holds') return strongest;
  for (const claim of claims.slice(0, -1)) {
    const weaker = verdictOn(claim);
    if (weaker.answer !== 'holds') return weaker;
  }
  return strongest;
}

type At = (places: readonly string[]) => readonly UnitPlaces[];

function questionsOf(claim: Claim, subject: Subject, service: Service, at: At): readonly Question[] {
  switch (claim.kind) {
    case 'reach':
      return reachQuestions(claim, subject, at);
    case 'deny':
      return denyQuestions(claim, subject, at);
    case 'through':
      return throughQuestions(claim, subject, service, at);
    case 'check': {
      const places = new Map<string, readonly PortId[]>();
      const names = [...service.block.children.map((fn) => fn.name), ...service.networks.map((each) => each.name)];
      for (const { path } of subject.units)
        places.set(
          path,
          at([path]).flatMap((unit) => unit.all),
        );
      for (const place of names)
        places.set(
          place,
          at([place]).flatMap((unit) => unit.all),
        );
      const { formula, setup } = parseFormula(claim.formula, places);
      const said = {
        formula,
        holds: 'It holds for every packet.',
        violated: 'There are packets for which it does not hold.',
      };
      return startsOf(at(claim.from), { assume: [filterOf(claim.packet)] }).map(({ start }) => ({
        start: { ...start, setup: block(start.setup!, setup) },
        network: subject.network,
        claims: [said],
      }));
    }
  }
}

const isAt = (ports: readonly PortId[]): Formula => ({ kind: 'condition', condition: { kind: 'at', ports } });
/** On all ways, at some time. */
const eventually = (of: Formula): Formula => ({ kind: 'path', all: true, always: false, of });
/** First the one, at that time or later the next. */
const inOrder = (places: readonly (readonly PortId[])[]): Formula =>
  places.reduceRight<Formula | undefined>((later, ports) => {
    const here = isAt(ports);
    return eventually(later === undefined ? here : { kind: 'and', of: [here, later] });
  }, undefined) ?? { kind: 'constant', value: true };

type Ends = Extract<Claim, { readonly kind: 'reach' | 'deny' }>;

function reachQuestions({ from, to, packet }: Ends, { network }: Subject, at: At): readonly Question[] {
  const targets = at(to);
  const ends = targets.flatMap((unit) => unit.ends);
  if (ends.length === 0) return [];
  const back = answering(network, targets);
  const where = to.join(', ');
  return startsOf(at(from), { to: addressesOf(targets), assume: [filterOf(packet)] }).map(({ unit, start }) => ({
    start,
    network: back,
    claims: [
      {
        formula: inOrder([ends]),
        holds: `All of them arrive at ${where}.`,
        violated: `There are packets that do not arrive at ${where}.`,
      },
      {
        formula: inOrder([ends, unit.ends]),
        holds: `All of them arrive at ${where}, and their answers come back.`,
        violated: `Packets arrive at ${where}, and there are answers that do not come back.`,
      },
    ],
  }));
}

function denyQuestions({ from, to, packet }: Ends, { network }: Subject, at: At): readonly Question[] {
  const where = to.join(', ');
  return startsOf(at(from), { assume: [filterOf(packet)] }).map(({ unit, start }) => {
    const ends = at(to).flatMap((target) => (target === unit ? [] : target.ends));
    const formula: Formula = { kind: 'path', all: true, always: true, of: { kind: 'not', of: isAt(ends) } };
    const said = { holds: `None of them arrives at ${where}.`, violated: `There are packets that arrive at ${where}.` };
    return { start, network, claims: [{ formula, ...said }] };
  });
}

function throughQuestions(
  { chain: name, waypoints }: Extract<Claim, { readonly kind: 'through' }>,
  { network }: Subject,
  service: Service,
  at: At,
): readonly Question[] {
  const chain = service.chains.find((each) => each.name === name);
  if (chain === undefined) return [];
  const [from, to] = [chain.from, chain.to].map((reference) => at([splitPortReference(reference).path])[0]);
  if (from === undefined || to === undefined) return [];
  const conditions: Condition[] = [];
  if (chain.protocol !== 'any') conditions.push(isProtocol(chain.protocol));
  if (chain.ports.length > 0) conditions.push(portsAre(destinationPort, chain.ports));
  const places = waypoints.map((place) => at([place]).flatMap((unit) => unit.all));
  const way = waypoints.join(', ');
  return startsOf([from], { to: [chain.address], assume: conditions }).map(({ start }) => ({
    start,
    network: answering(network, [to]),
    claims: [
      {
        formula: inOrder([...places, to.ends]),
        holds: `All packets of ${name} pass ${way} in this order.`,
        violated: `There are packets of ${name} that do not pass ${way} in this order and arrive.`,
      },
      {
        formula: inOrder([...places, to.ends, ...places.toReversed(), from.ends]),
        holds: `All packets of ${name} pass ${way} in this order, and answers come back that way.`,
        violated: `There are answers to packets of ${name} that do not come back the way that those went.`,
      },
    ],
  }));
}

function nothingThere({ name, claim }: Policy): Verdict {
  const where = claim.kind === 'through' ? `an end of chain ${claim.chain}` : 'a place that it names';
  return {
    question: `policy/${name}`,
    answer: claim.kind === 'deny' ? 'holds' : 'unknown',
    because: `There is no unit at ${where}.`,
    paths: [],
    dependsOn: claim.kind === 'deny' ? [] : [`whether units will be there`],
    rules: [],
  };
}

function outOfTime({ name }: Policy): Verdict {
  return {
    question: `policy/${name}`,
    answer: 'unknown',
    because: 'Not all paths were followed: bound hit: milliseconds.',
    paths: [],
    bound: 'milliseconds',
    dependsOn: [],
    rules: [],
  };
}
