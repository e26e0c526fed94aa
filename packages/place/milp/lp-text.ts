/** A mixed-integer programme, written in the LP format of CPLEX. */
export class LpText {
  readonly #objective: string[] = [];
  readonly #constraints: string[] = [];
  readonly #binaries: string[] = [];

  /** Binary variable with its part of what is minimised. */
  binary(name: string, cost: number): void {
    this.#binaries.push(name);
    if (cost !== 0) this.#objective.push(term([name, cost]));
  }

  /** From 0 on. */
  continuous(name: string, cost: number): void {
    this.#objective.push(term([name, cost]));
  }

  constrain(terms: readonly (readonly [string, number])[], relation: '<=' | '>=' | '=', right: number): void {
    const shown = terms.filter(([, factor]) => factor !== 0);
    if (shown.length === 0) return;
    this.#constraints.push(`${lines(shown.map(term))} ${relation} ${right}`);
  }

  get variables(): number {
    return this.#binaries.length;
  }

  toString(): string {
    return [
      'Minimize',
      `obj: ${lines(this.#objective.length === 0 ? [`0 ${this.#binaries[0] ?? 'x'}`] : this.#objective)}`,
      'Subject To',
      ...this.#constraints.map((constraint, i) => `r${i}: ${constraint}`),
      'Binary',
      lines(this.#binaries),
      'End',
    ].join('\n');
  }
}

const term = ([name, factor]: readonly [string, number]) => `${factor < 0 ? '-' : '+'} ${Math.abs(factor)} ${name}`;

/** Lines of the format have at most 560 characters. */
function lines(terms: readonly string[]): string {
  const rows: string[] = [];
  for (let i = 0; i < terms.length; i += 10) rows.push(terms.slice(i, i + 10).join(' '));
  return rows.join('\n');
}
