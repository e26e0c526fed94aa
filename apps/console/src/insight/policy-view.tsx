import type { PolicyGrid, UnitScaling } from '@superfluidity/api';
import { GRID_ACTIONS, type GridAction, placeInGrid, policyFacts } from '../view-model/scaling.ts';

/** The policy behind decisions: its numbers, and of one from a Markov model what it does in every state. */
export function PolicyView({ of }: { readonly of: UnitScaling }) {
  return (
    <div className="sf-policy">
      <dl className="sf-figures">
        {policyFacts(of).map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd className="sf-policy__fact">{value}</dd>
          </div>
        ))}
      </dl>
      {of.problem !== undefined && <p role="alert">It cannot be used: {of.problem}</p>}
      {of.grid !== undefined && <GridView grid={of.grid} instances={of.instances} tasks={of.last?.metrics['tasks']} />}
    </div>
  );
}

const SHOWN: readonly GridAction[] = ['build', 'accept', 'reject', 'destroy'];

function GridView(props: {
  readonly grid: PolicyGrid;
  readonly instances: number;
  readonly tasks: number | undefined;
}) {
  const { grid, instances, tasks } = props;
  const { vms, tasks: columns, actions } = grid;
  const here = placeInGrid(grid, instances, tasks);
  return (
    <figure className="sf-insight__figure">
      <figcaption>What the policy does, by instances (rows) and requests under way (columns)</figcaption>
      <div className="sf-policy__scroll" tabIndex={0} role="region" aria-label="Picture of the policy">
        <table className="sf-policy__grid" data-policy-grid={vms.length * columns.length}>
          <caption className="sf-policy__caption">
            Now: {instances} instances{tasks === undefined ? '' : `, ${tasks.toFixed(1)} requests under way`}
          </caption>
          <thead>
            <tr>
              <td />
              {columns.map((count) => (
                <th key={count} scope="col">
                  {count}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {vms
              .map((count, row) => (
                <tr key={count}>
                  <th scope="row">{count}</th>
                  {actions[row]!.map((action, column) => (
                    <td
                      key={columns[column]}
                      data-action={action}
                      data-here={row === here.row && column === here.column ? '' : undefined}
                    >
                      <span aria-hidden>{GRID_ACTIONS[action][0]}</span>
                      <span className="pf-v6-screen-reader">{GRID_ACTIONS[action][1]}</span>
                    </td>
                  ))}
                </tr>
              ))
              .toReversed()}
          </tbody>
        </table>
      </div>
      <ul className="sf-policy__legend" aria-label="Legend">
        {SHOWN.map((action) => (
          <li key={action}>
            <span data-action={action} aria-hidden>
              {GRID_ACTIONS[action][0]}
            </span>
            {GRID_ACTIONS[action][1]}
          </li>
        ))}
        <li>
          <span data-here="" aria-hidden />
          where it is now
        </li>
      </ul>
    </figure>
  );
}
