import { isSuperfluidityError } from '@superfluidity/core';
import { block, branch, fail, type Instruction } from '../../ir/instruction.ts';
import type { SourceRef } from '../../ir/source.ts';
import type { Filter } from '../../filter/ast.ts';
import { filterCondition } from '../../filter/condition.ts';
import { readFilter } from '../../filter/parse.ts';
import type { ClickArgument } from '@superfluidity/click';
import { dropAt, type ElementContext, type ElementModel, inner, sourceOf, unusableElement } from './element.ts';
import { filterTable } from './filter-table.ts';
import { enter, hasHeader } from './headers.ts';
import { hasStack, knownStacks, patternCondition, readPattern, type Stack } from './patterns.ts';

function filterOf(context: ElementContext, text: string, line: number): Filter {
  try {
    return readFilter(context.names.inFilter(text), 'click');
  } catch (error) {
    if (isSuperfluidityError(error, 'SF-VERIFY-QUESTION'))
      throw unusableElement(context, `"${text}": ${error.message}`, line);
    throw error;
  }
}

function at(context: ElementContext, { line, text }: ClickArgument): SourceRef {
  return { file: context.element.source.file, line, text: text.slice(0, 200) };
}

/** Whether a filter looks at more than the Ethernet header and the annotations. */
function needsIp(filter: Filter): boolean {
  switch (filter.kind) {
    case 'constant':
    case 'ether':
    case 'vlan':
    case 'paint':
      return false;
    case 'not':
      return needsIp(filter.of);
    case 'and':
    case 'or':
      return filter.of.some(needsIp);
    case 'choose':
      return needsIp(filter.condition) || needsIp(filter.yes) || needsIp(filter.no);
    case 'bytes':
      return filter.header !== 'ether';
    default:
      return true;
  }
}

export interface FilterRule {
  readonly filter: Filter;
  readonly source: SourceRef;
  readonly action: Instruction;
}

/** The first filter that matches decides. As a table where the filters are made for one, else one test after the other. */
function firstMatch(context: ElementContext, rules: readonly FilterRule[]): Instruction {
  const none = dropAt(context, 'no pattern matches');
  const program =
    filterTable(context, rules, none) ??
    rules.reduceRight<Instruction>(
      (otherwise, { filter, source, action }) =>
        branch(filterCondition(filter, 'click', context.box), action, otherwise, source),
      none,
    );
  if (!rules.some(({ filter }) => needsIp(filter))) return program;
  const reason = `${context.element.className} needs packets with the IP header annotation, and this one has no IPv4 header`;
  return branch(hasHeader('IPv4', 'L3'), program, fail(reason, sourceOf(context)));
}

const keywords = new Set(['CACHING']);
const rulesOf = (context: ElementContext) =>
  context.element.arguments.filter(({ text }) => !keywords.has(text.split(' ')[0]!));

function ipClassifier(context: ElementContext): Instruction {
  return firstMatch(
    context,
    rulesOf(context).map((argument, port) => ({
      filter: filterOf(context, argument.text, argument.line),
      source: at(context, argument),
      action: context.to(port),
    })),
  );
}

/** `allow`, `deny`, `drop` or the number of an output, and a pattern. */
function ipFilter(context: ElementContext): Instruction {
  return firstMatch(
    context,
    rulesOf(context).map((argument) => {
      const space = argument.text.indexOf(' ');
      const action = space < 0 ? argument.text : argument.text.slice(0, space);
      const pattern = space < 0 ? '' : argument.text.slice(space + 1);
      const source = at(context, argument);
      const output = action === 'allow' ? 0 : /^\d{1,5}$/.test(action) ? Number(action) : undefined;
      if (output === undefined && action !== 'deny' && action !== 'drop')
        throw unusableElement(context, `the action is allow, deny, drop or an output, not "${action}"`, argument.line);
      const decided: Instruction = output === undefined ? { op: 'drop', why: 'denied', source } : context.to(output);
      return { filter: filterOf(context, pattern, argument.line), source, action: decided };
    }),
  );
}

/** What is done with packets that have these headers: pattern after pattern. Without headers nothing is known but "-". */
function classifier(context: ElementContext): Instruction {
  const patterns = rulesOf(context).map((argument, port) => {
    const pattern = readPattern(argument.text);
    if (pattern === undefined)
      throw unusableElement(context, `a pattern is OFFSET/VALUE[%MASK] ..., not "${argument.text}"`, argument.line);
    return { pattern, source: at(context, argument), port };
  });
  const decide = (stack: Stack): Instruction =>
    patterns.reduceRight<Instruction>(
      (otherwise, { pattern, source, port }) => {
        const matches = patternCondition(pattern, stack);
        if (matches !== undefined) return branch(matches, context.to(port), otherwise, source);
        const what = `${context.element.name} looks at bytes of no known header: ${source.text}`;
        const branches = [context.to(port), otherwise].map((each) => block({ op: 'doubt', what, covered: true }, each));
        return { op: 'choose', source, branches };
      },
      dropAt(context, 'no pattern matches'),
    );
  const program = knownStacks.reduceRight((rest, stack) => branch(hasStack(stack), decide(stack), rest), decide([]));
  return block(enter, program);
}

export const classifierElements: Readonly<Record<string, ElementModel>> = {
  IPFilter: inner('the first rule whose pattern matches decides: an output, or a drop', ipFilter),
  IPClassifier: inner('sends packets to the output of the first pattern that matches', ipClassifier),
  Classifier: inner('sends packets to the output of the first pattern of bytes that matches', classifier),
};
