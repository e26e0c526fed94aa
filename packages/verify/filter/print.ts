import { prefixLength } from './addresses.ts';
import { showValue } from '../report/values.ts';
import type { Comparison, Direction, Filter, Test } from './ast.ts';

/** The filter as text that reads back as the same filter, in either dialect. */
export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'constant':
      return filter.value ? 'true' : 'false';
    case 'not':
      return `not ${operand(filter.of)}`;
    case 'and':
    case 'or':
      return filter.of.map(operand).join(` ${filter.kind} `);
    case 'choose':
      return `${operand(filter.condition)} ? ${operand(filter.yes)} : ${operand(filter.no)}`;
    default:
      return printTest(filter);
  }
}

function operand(filter: Filter): string {
  const text = printFilter(filter);
  return filter.kind === 'and' || filter.kind === 'or' || filter.kind === 'choose' ? `(${text})` : text;
}

function printTest(test: Test): string {
  switch (test.kind) {
    case 'family':
      return test.family;
    case 'protocol':
      return words(test.family, 'proto', comparison(test.number));
    case 'address':
      return words(test.family, toward(test.direction), ...address(test));
    case 'port':
      return words(test.transport, toward(test.direction), 'port', comparison(test.number));
    case 'number':
      return words(test.of, comparison(test.number));
    case 'fragment':
      return test.whole ? 'ip unfrag' : 'ip frag';
    case 'flags':
      return `tcp opt ${test.flags}`;
    case 'ether':
      return ether(test);
    case 'vlan':
      return words('vlan', test.id?.toString());
    case 'paint':
      return `paint ${test.colour}`;
    case 'bytes':
      return `${test.header}[${test.offset}:${test.length}] ${comparison(test.number)}`;
  }
}

function words(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(' ');
}

/** Both ways is what no direction means. */
function toward(direction: Direction): string | undefined {
  return direction === 'src or dst' ? undefined : direction;
}

function address(test: Extract<Test, { kind: 'address' }>): string[] {
  const text = showValue(test.width === 32 ? 'IPv4.src' : 'IPv6.src', test.value);
  const length = prefixLength(test.width, test.mask);
  const relation = test.negated ? ['!='] : [];
  if (length === test.width) return ['host', ...relation, text];
  if (length !== undefined) return ['net', ...relation, `${text}/${length}`];
  return ['net', ...relation, text, 'mask', showValue('IPv4.src', test.mask)];
}

function ether(test: Extract<Test, { kind: 'ether' }>): string {
  const text = showValue('Ether.dst', test.value);
  if (prefixLength(48, test.mask) !== 48) return 'ether multicast';
  return words('ether', toward(test.direction), 'host', test.negated ? '!=' : undefined, text);
}

function comparison({ op, value, high, mask }: Comparison): string {
  const relation = op === '==' && mask === undefined ? undefined : op;
  const number = high === undefined ? `${value}` : `${value}-${high}`;
  return words(mask === undefined ? undefined : `& ${mask}`, relation, number);
}
