import './proof.css';
import type { VerificationReport } from '@superfluidity/api';
import { Card, CardBody, CardTitle, List, ListItem } from '@patternfly/react-core';
import { Expandable } from '../ui/expandable.tsx';
import { AnswerLabel } from '../ui/labels.tsx';
import { formatMs } from '../view-model/format.ts';
import { readablePacket } from '../view-model/packet.ts';

type Policy = VerificationReport['policies'][number];
type Path = Policy['paths'][number];
type RuleLine = Policy['rules'][number];

/** The verdict of each policy, with the packet that shows it and its way hop by hop. */
export function ProofReport(props: {
  readonly report: VerificationReport;
  readonly title: string;
  readonly open?: string | undefined;
}) {
  const { report } = props;
  return (
    <Card className="sf-proof" data-proof={report.answer}>
      <CardTitle component="h2">
        {props.title} <AnswerLabel answer={report.answer} />{' '}
        <small className="sf-subtle">in {formatMs(report.tookMs)}</small>
      </CardTitle>
      <CardBody>
        {report.policies.map((policy) => (
          <PolicyView
            key={policy.policy}
            policy={policy}
            open={policy.answer !== 'holds' || policy.policy === props.open}
          />
        ))}
        {report.likeness !== undefined && <LikenessView likeness={report.likeness} />}
        {report.assumptions.length > 0 && (
          <Expandable title={`Taken for granted, and not proven: ${report.assumptions.length}`}>
            <List>
              {report.assumptions.map((one) => (
                <ListItem key={one}>{one}</ListItem>
              ))}
            </List>
          </Expandable>
        )}
      </CardBody>
    </Card>
  );
}

function PolicyView({ policy, open }: { readonly policy: Policy; readonly open: boolean }) {
  return (
    <section className="sf-policy" aria-label={policy.policy} data-policy={policy.policy}>
      <h3>
        <AnswerLabel answer={policy.answer} /> {policy.policy}
      </h3>
      <p>
        {policy.because}
        {policy.bound !== undefined && <span className="sf-subtle"> (bound: {policy.bound})</span>}
      </p>
      {policy.dependsOn.length > 0 && <p className="sf-subtle">It depends on {policy.dependsOn.join(', ')}.</p>}
      {policy.paths.map((path, i) => (
        <Expandable key={i} title={`The way of a packet: ${path.outcome} at ${path.port}`} open={open}>
          <PathView path={path} />
        </Expandable>
      ))}
      {policy.rules.length > 0 && (
        <Expandable title={`Rules that decide it: ${policy.rules.length}`}>
          <Rules rules={policy.rules} />
        </Expandable>
      )}
    </section>
  );
}

/** Whether the sites do with every packet what was meant, and the packets with which they do something else. */
function LikenessView({ likeness }: { readonly likeness: NonNullable<VerificationReport['likeness']> }) {
  return (
    <section className="sf-policy" aria-label="As meant" data-likeness={likeness.answer}>
      <h3>
        <AnswerLabel answer={likeness.answer} /> it is as it was meant
      </h3>
      <p>{likeness.because}</p>
      {likeness.differences.map((difference, i) => (
        <Expandable key={i} title={`A difference: ${difference.because}`} open={i === 0}>
          <div className="sf-difference">
            {(['meant', 'there'] as const).map((side) => (
              <div key={side}>
                <h4>{side === 'meant' ? 'As meant' : 'As it is'}</h4>
                {difference[side].map((path, n) => (
                  <PathView key={n} path={path} />
                ))}
              </div>
            ))}
          </div>
        </Expandable>
      ))}
      {likeness.leftOut.length > 0 && <p className="sf-subtle">Not compared: {likeness.leftOut.join('; ')}</p>}
    </section>
  );
}

/** One packet from port to port, with the rules that sent it on. */
export function PathView({ path }: { readonly path: Path }) {
  return (
    <div className="sf-path">
      {path.packet !== undefined && (
        <dl className="sf-packet" aria-label="The packet">
          {readablePacket(path.packet.sent, path.packet.arrived).map(({ field, sent, arrived }) => (
            <div key={field}>
              <dt>{field}</dt>
              <dd>
                <code>{sent}</code>
                {arrived !== sent && (
                  <>
                    {' '}
                    → <code className="sf-packet__changed">{arrived}</code>
                  </>
                )}
              </dd>
            </div>
          ))}
        </dl>
      )}
      <ol className="sf-hop-list">
        {path.hops.map((hop, i) => (
          <li key={i} data-hop={hop.port}>
            <strong>{hop.port}</strong>
            <Rules rules={hop.because} />
          </li>
        ))}
        <li className="sf-hop-list__end">
          {path.outcome} {path.why !== undefined && <span>because {path.why}</span>}
          {path.source !== undefined && <Rules rules={[path.source]} />}
        </li>
      </ol>
      {path.doubts.length > 0 && <p className="sf-subtle">In doubt: {path.doubts.join('; ')}</p>}
    </div>
  );
}

function Rules({ rules }: { readonly rules: readonly RuleLine[] }) {
  if (rules.length === 0) return null;
  return (
    <ul className="sf-rules">
      {rules.map((rule, i) => (
        <li key={i}>
          <span className="sf-subtle">
            {rule.file}:{rule.line}
          </span>
          {rule.text !== undefined && <code>{rule.text}</code>}
        </li>
      ))}
    </ul>
  );
}
