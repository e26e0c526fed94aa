import { ApiError } from '@superfluidity/api';
import { useQuery } from '@tanstack/react-query';
import { useQueriesOf } from '../data/queries.ts';
import { Empty } from '../ui/empty.tsx';
import { Failure } from '../ui/failure.tsx';
import { ProofReport } from './proof-report.tsx';

/** What is proven of the policies of a service, asked for when it is looked at. */
export function ProofOfService(props: {
  readonly service: string;
  readonly realised: boolean;
  readonly policy?: string | undefined;
}) {
  const { service, realised } = props;
  const proof = useQuery(useQueriesOf().proof(service, realised));
  const where = realised ? 'on what the sites have now' : 'on what is meant to be there';
  if (proof.isError) {
    const none = proof.error instanceof ApiError && proof.error.report.message.includes('no policies');
    return none ? (
      <Empty title={`${service} has no policies`}>
        A policy says what must always or never reach what. Written under “policies:” in the descriptor, it is proven
        before every change.
      </Empty>
    ) : (
      <Failure error={proof.error} what={`the proof of ${service}`} onRetry={() => void proof.refetch()} />
    );
  }
  if (proof.data === undefined)
    return (
      <p role="status">
        The policies of {service} are being proven {where}…
      </p>
    );
  return <ProofReport report={proof.data} title={`Policies of ${service}, ${where}`} open={props.policy} />;
}
