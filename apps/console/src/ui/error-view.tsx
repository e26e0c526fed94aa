import { ApiError, type ProblemDetails } from '@superfluidity/api';
import { isSuperfluidityError, reportError } from '@superfluidity/core';
import { ExclamationCircleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon';

export type ErrorBody = ProblemDetails['error'];

/** What the server said, or, where it said nothing, what happened on the way to it. */
export function errorBodyOf(error: unknown): ErrorBody {
  if (error instanceof ApiError) return error.report;
  if (isSuperfluidityError(error)) return reportError(error) as ErrorBody;
  return { code: 'SF-CORE-UNEXPECTED', message: error instanceof Error ? error.message : String(error) };
}

/** An error with everything that helps: code, what to do, the exchange with the site, and what caused it. */
export function ErrorView({ error, title }: { readonly error: ErrorBody; readonly title?: string }) {
  return (
    <div className="sf-error" role="alert">
      <p className="sf-error__head">
        <ExclamationCircleIcon aria-hidden />
        <strong>{title ?? 'It was refused'}</strong>
        <code>{error.code}</code>
      </p>
      <ErrorParts error={error} />
      {error.hint !== undefined && (
        <p className="sf-error__hint">
          <strong>What to do:</strong> {error.hint}
        </p>
      )}
      <CauseChain cause={error.cause} />
    </div>
  );
}

function ErrorParts({ error }: { readonly error: ErrorBody }) {
  return (
    <>
      <p className="sf-error__message">{error.message}</p>
      {error.request !== undefined && <Exchange label="Request" text={error.request} />}
      {error.answer !== undefined && <Exchange label="Answer" text={error.answer} />}
    </>
  );
}

function Exchange({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    <figure className="sf-exchange">
      <figcaption>{label}</figcaption>
      <pre>{text}</pre>
    </figure>
  );
}

function CauseChain({ cause }: { readonly cause: ErrorBody | undefined }) {
  const chain: ErrorBody[] = [];
  for (let next = cause; next !== undefined; next = next.cause) chain.push(next);
  if (chain.length === 0) return null;
  return (
    <ol className="sf-causes" aria-label="Causes, nearest first">
      {chain.map((error, i) => (
        <li key={i}>
          <p>
            because <code>{error.code}</code>
          </p>
          <ErrorParts error={error} />
        </li>
      ))}
    </ol>
  );
}
