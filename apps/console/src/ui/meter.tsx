import { formatPercent } from '../view-model/format.ts';

/** How much of something is used, or, as `stock`, how much is there: a full store is well, a full host is not. */
export function Meter(props: {
  readonly label: string;
  readonly used: number;
  readonly text?: string;
  readonly small?: boolean;
  /** In one line: for tables. */
  readonly inline?: boolean;
  readonly stock?: boolean;
}) {
  const { label, used, text } = props;
  return (
    <div
      className={`sf-meter ${props.small === true ? 'sf-meter--small' : ''} ${props.inline === true ? 'sf-meter--inline' : ''}`}
    >
      <span className="sf-meter__label">{label}</span>
      <span
        className="sf-meter__track"
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(used * 100)}
        aria-valuetext={text ?? formatPercent(used)}
      >
        <span
          className={`sf-meter__fill ${props.stock !== true && used > 0.9 ? 'sf-meter__fill--full' : ''}`}
          style={{ width: `${used * 100}%` }}
        />
      </span>
      {text !== undefined && <span className="sf-meter__text">{text}</span>}
    </div>
  );
}
