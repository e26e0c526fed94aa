type Terms = readonly (readonly [name: string, factor: number])[];

/** A mixed-integer programme, written in the LP format of CPLEX, which HiGHS, cbc and glpsol read. */
export class LpText {
  readonly #objective: string[] = [];
  readonly #constraints: string[] = [];
  readonly #bounds: string[] = [];
  readonly #binaries: string[] = [];
  readonly #integers: string[] = [];

  /** Binary variable with its part of what is minimised. */
  binary(name: string, cost: number): void {
    this.#binaries.push(name);
    if (cost !== 0) this.#objective.push(term([name, cost]));
  }

  /** Whole numbers from 0 to `most`. */
  integer(name: string, cost: number, most: number): void {
    this.#integers.push(name);
    this.#bounds.push(`0 <= ${name} <= ${most}`);
    if (cost !== 0) this.#objective.push(term([name, cost]));
  }

  /** From 0 on, up to `most` where it is given. */
  continuous(name: string, cost: number, most = Number.POSITIVE_INFINITY): void {
    if (Number.isFinite(most)) this.#bounds.push(`0 <= ${name} <= ${most}`);
    this.#objective.push(term([name, cost]));
  }

  constrain(terms: Terms, relation: '<=' | '>=' | '=', right: number): void {
    const shown = terms.filter(([, factor]) => factor !== 0);
    if (shown.length === 0) return;
    this.#constraints.push(`${lines(shown.map(term))} ${relation} ${right}`);
  }

  toString(): string {
    return [
      'Minimize',
      `obj: ${lines(this.#objective.length === 0 ? [`0 ${this.#binaries[0] ?? 'x'}`] : this.#objective)}`,
      'Subject To',
      ...this.#constraints.map((constraint, i) => `r${i}: ${constraint}`),
      ...section('Bounds', this.#bounds),
      ...section('Binary', this.#binaries.length === 0 ? [] : [lines(this.#binaries)]),
      ...section('General', this.#integers.length === 0 ? [] : [lines(this.#integers)]),
      'End',
    ].join('\n');
  }
}

const section = (title: string, content: readonly string[]) => (content.length === 0 ? [] : [title, ...content]);

const term = ([name, factor]: readonly [string, number]) => `${factor < 0 ? '-' : '+'} ${Math.abs(factor)} ${name}`;

/** Lines of the format have at most 560 characters. */
function lines(terms: readonly string[]): string {
  const rows: string[] = [];
  for (let i = 0; i < terms.length; i += 10) rows.push(terms.slice(i, i + 10).join(' '));
  return rows.join('\n');
}
