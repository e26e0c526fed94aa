import { SuperfluidityError } from '@superfluidity/core';
import { designLimits } from '../errors.ts';
import { cellsOf, type Reach } from './cells.ts';
import type { RfbInstance } from './instance.ts';
import { publishedNetwork } from './published.ts';

/**
 * Reads an instance as it was published: coverage COV[type][user][node] of 0 and 1, and rates delta[node][user][type] in Mb/s,
 * as matrices of OPL (`NAME = [ [ [ 1 0 ], ... ] ];`, with or without commas), for the network of the published scenarios.
 * Throws SF-DESIGN-INPUT for what has another form.
 */
export function readMatrices(name: string, coverageText: string, ratesText: string): RfbInstance {
  const network = publishedNetwork();
  const [types, nodes] = [network.rrhTypes.length, network.nodes.length];
  const coverage = rowsOf(coverageText, nodes, 'coverage');
  const users = coverage.length / types;
  if (!Number.isInteger(users)) {
    throw refused('coverage', `${coverage.length} rows are not the same number of users for ${types} types`);
  }
  if (users > designLimits.users) throw refused('coverage', `${users} users, at most ${designLimits.users}`);
  const rates = rowsOf(ratesText, types, 'rates');
  if (rates.length !== users * nodes) {
    throw refused('rates', `${rates.length} rows, but ${users} users at ${nodes} nodes`);
  }
  if (coverage.flat().some((each) => each !== 0 && each !== 1))
    throw refused('coverage', 'it holds other than 0 and 1');
  const reachOf = Array.from({ length: users }, (_user, j) =>
    network.rrhTypes.flatMap((_type, type) =>
      network.nodes.flatMap((_node, node): readonly Reach[] =>
        coverage[type * users + j]![node] === 1 ? [{ node, type, rateMbps: rates[node * users + j]![type]! }] : [],
      ),
    ),
  );
  return { ...network, name, users, cells: cellsOf(reachOf) };
}

/** The innermost rows, each of the same length. */
function rowsOf(text: string, length: number, what: string): readonly (readonly number[])[] {
  if (text.length > designLimits.matrixCharacters) {
    throw refused(what, `${text.length} characters, at most ${designLimits.matrixCharacters}`);
  }
  const start = text.indexOf('[');
  if (!/^\s*[A-Za-z_]\w*\s*=\s*$/.test(text.slice(0, Math.max(0, start)).slice(-256))) {
    throw refused(what, 'it is not NAME = [ ... ];');
  }
  const rows: (readonly number[])[] = [];
  const rest = text.slice(start).replaceAll(/\[([^[\]]*)\]/g, (_row, content: string) => {
    const numbers = content.split(/[\s,]+/).filter((part) => part !== '');
    const row = numbers.map(Number);
    if (row.length !== length) throw refused(what, `row ${rows.length + 1} has ${row.length} values, not ${length}`);
    if (row.some((each) => !(each >= 0 && each <= designLimits.amount))) {
      throw refused(what, `row ${rows.length + 1} holds what is not a number from 0 on`);
    }
    rows.push(row);
    return '';
  });
  if (/[^\s[\],;]/.test(rest)) throw refused(what, 'there is more in it than rows of numbers');
  return rows;
}

function refused(what: string, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-DESIGN-INPUT', { doing: `read the matrix of ${what}`, reason });
}
