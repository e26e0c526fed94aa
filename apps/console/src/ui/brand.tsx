/** Two streams that flow without friction. */
export function Brand() {
  return (
    <span className="sf-brand">
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
        <rect width="32" height="32" rx="8" className="sf-brand__ground" />
        <path d="M6 12c4-5 7-5 10 0s6 5 10 0" className="sf-brand__stream" />
        <path d="M6 21c4-5 7-5 10 0s6 5 10 0" className="sf-brand__stream sf-brand__stream--low" />
      </svg>
      Superfluidity
    </span>
  );
}
