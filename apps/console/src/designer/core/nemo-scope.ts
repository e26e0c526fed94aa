import {
  type NemoConnection,
  type NemoItem,
  type NemoModel,
  type NemoNode,
  nemoTypes,
  TextPositions,
} from '@superfluidity/dialects/languages';
import type { Making, NemoScript } from './nemo-script.ts';
import { Refused } from './yaml-edit.ts';

type Of<K extends NemoItem['kind']> = Extract<NemoItem, { readonly kind: K }>;

/** Where things are made that know each other: the top of a script, or the inside of one of its models. */
export class NemoScope {
  readonly script: NemoScript;
  readonly model: Making<NemoModel> | undefined;
  readonly #makings: readonly Making<NemoItem>[];

  private constructor(script: NemoScript, model?: Making<NemoModel>) {
    this.script = script;
    this.model = model;
    this.#makings = model === undefined ? script.makings : membersOf(script, model);
  }

  static top(script: NemoScript): NemoScope {
    return new NemoScope(script);
  }

  /** Undefined: there is no such model, it has no nodes inside, or it is made in several pieces. */
  static inside(script: NemoScript, name: string | undefined): NemoScope | undefined {
    const [model, ...others] = script.models.filter(({ item }) => item.name === name);
    if (model === undefined || others.length > 0) return undefined;
    return model.item.members.some(({ kind }) => kind === 'Node') ? new NemoScope(script, model) : undefined;
  }

  /** How many nodes at the top are of the model: what is changed inside is changed in all of them. */
  get instances(): readonly string[] {
    const name = this.model?.item.name;
    return NemoScope.top(this.script)
      .all('Node')
      .flatMap(({ item }) => (name !== undefined && item.type === name ? [item.name] : []));
  }

  all<K extends NemoItem['kind']>(kind: K): readonly Making<Of<K>>[] {
    return this.#makings.filter((one): one is Making<Of<K>> => one.item.kind === kind);
  }

  /** What makes it; what updates it is another. */
  node(name: string): Making<NemoNode> | undefined {
    return this.all('Node').find(({ item, verb }) => item.name === name && verb !== 'UPDATE');
  }

  connection(name: string): Making<NemoConnection> | undefined {
    return this.all('Connection').find(({ item, verb }) => item.name === name && verb !== 'UPDATE');
  }

  /** How something that is made here begins. */
  get verb(): 'CREATE' | '' {
    return this.model === undefined ? 'CREATE' : '';
  }

  /** Refuses what cannot be here: in a model, what has it inside, and networks. What is pasted brings models of its own. */
  mustTake(type: string, from: NemoScript = this.script): void {
    const name = this.model?.item.name;
    if (name === undefined) return;
    const script = from.model(type) === undefined || this.script.model(type) !== undefined ? this.script : from;
    if (contains(script, type, name)) throw new Refused(`a model cannot contain itself: '${type}' does`);
    if ((nemoTypes.get(type)?.role ?? 'function') !== 'function')
      throw new Refused('a network inside of a model would have the same addresses in all its nodes');
  }

  nameAt(kind: 'node' | 'connection', name: string): number | undefined {
    return this.script.nameAt(kind, name, this.model?.item.name);
  }

  /** The script with more in this place, behind what is there. */
  appended(...made: readonly string[]): string {
    const { text, appendAt } = this.script;
    // Where a model ends, white space is counted to it.
    const at = this.model === undefined ? appendAt : this.#makings.at(-1)!.to;
    const before = text.slice(0, at);
    if (this.model !== undefined) return before + made.map((one) => `\n  ${one}`).join('') + text.slice(at);
    return `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${made.join('\n')}\n${text.slice(at)}`;
  }
}

/** Whether a model is another one, or has it inside. */
export function contains(
  script: NemoScript,
  name: string,
  other: string,
  above: ReadonlySet<string> = new Set(),
): boolean {
  if (name === other) return true;
  if (above.has(name)) return false;
  const members = script.model(name)?.members ?? [];
  return members.some(
    (one) =>
      one.kind === 'Node' && one.type !== undefined && contains(script, one.type, other, new Set([...above, name])),
  );
}

/** Members know where they begin; they end with their semicolon. */
function membersOf({ text }: NemoScript, { item }: Making<NemoModel>): readonly Making<NemoItem>[] {
  const positions = new TextPositions(text, 'script.nemo');
  return item.members.map((member) => {
    const from = positions.lineStart(member.at.line)! + member.at.column - 1;
    return { verb: '', item: member, from, to: endOf(text, from) };
  });
}

const PIECE = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|;|[^;"/]+|./sy;

function endOf(text: string, from: number): number {
  PIECE.lastIndex = from;
  for (let piece = PIECE.exec(text); piece !== null; piece = PIECE.exec(text))
    if (piece[0] === ';') return PIECE.lastIndex;
  return text.length;
}
