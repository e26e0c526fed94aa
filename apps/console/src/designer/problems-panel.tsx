import type { Problem } from '@superfluidity/core';
import { ExclamationCircleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon';
import { ExclamationTriangleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon';

/** What the check finds, as it is typed and drawn. Each leads to its place in the text. */
export function ProblemsPanel(props: {
  readonly problems: readonly Problem[];
  readonly onProblem: (problem: Problem) => void;
}) {
  if (props.problems.length === 0)
    return <p className="sf-subtle sf-side__words">The check finds nothing to complain of.</p>;
  return (
    <ul className="sf-problems">
      {props.problems.map((problem, i) => (
        <li key={i}>
          <button type="button" data-problem={problem.code} onClick={() => props.onProblem(problem)}>
            <span className={`sf-mark sf-mark--${problem.severity}`}>
              {problem.severity === 'error' ? (
                <ExclamationCircleIcon aria-hidden />
              ) : (
                <ExclamationTriangleIcon aria-hidden />
              )}
              <span className="sf-offscreen">{problem.severity}</span>
            </span>
            <span>
              {problem.message}
              {problem.suggestion !== undefined && `; ${problem.suggestion}`}
              <small>
                {problem.position === undefined ? '' : `line ${problem.position.line} · `}
                {problem.code}
              </small>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
