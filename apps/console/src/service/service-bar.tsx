import type { Service, ServiceDetail, SiteDetail } from '@superfluidity/api';
import { Label } from '@patternfly/react-core';
import { CheckCircleIcon } from '@patternfly/react-icons/dist/esm/icons/check-circle-icon';
import { ExclamationTriangleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon';
import { InProgressIcon } from '@patternfly/react-icons/dist/esm/icons/in-progress-icon';
import { type ReactNode, useEffect, useEffectEvent, useState } from 'react';
import { useClient } from '../data/session.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { useConfirm } from '../ui/confirm.tsx';
import { formatCount } from '../view-model/format.ts';
import { serviceMay } from '../view-model/permitted.ts';
import { MoveDialog } from './move-dialog.tsx';
import { ScaleDialog } from './scale-dialog.tsx';

/** The service that is shown, in one line, and what can be done with it. */
export function ServiceBar(props: {
  readonly service: ServiceDetail;
  readonly sites: readonly SiteDetail[];
  readonly onOperation: (id: string) => void;
  readonly beside?: ReactNode;
  /** What is asked for by the address. */
  readonly asked?: string | undefined;
  /** What was asked for has been done, or is not wanted. */
  readonly onAnswered?: () => void;
}) {
  const { service, sites, onOperation, asked, onAnswered } = props;
  const [dialog, setDialog] = useState(asked === 'move' || asked === 'scale' ? asked : undefined);
  const client = useClient();
  const confirm = useConfirm();
  const params = { name: service.name };
  const close = () => {
    setDialog(undefined);
    onAnswered?.();
  };
  const started = ({ operation }: { readonly operation: string }) => {
    close();
    onOperation(operation);
  };
  const may = (verb: Parameters<typeof serviceMay>[0]) => serviceMay(verb, service, sites);
  const heal = () =>
    confirm({
      title: `Heal ${service.name}?`,
      body: 'Units that are not running are replaced. Units that run are left alone.',
      verb: 'Heal',
      danger: false,
      act: async () => started(await client.call('healService', { params, body: {} })),
    });
  const terminate = () =>
    confirm({
      title: `Terminate ${service.name}?`,
      body: `Its ${service.unitCount} units are stopped, and everything that belongs to them is removed from ${service.sites.join(' and ') || 'its sites'}. Whoever uses it is cut off.`,
      verb: 'Terminate',
      danger: true,
      act: async () => started(await client.call('terminateService', { params })),
    });
  const ask = useEffectEvent(() => {
    if (asked !== 'heal' && asked !== 'terminate') return;
    onAnswered?.();
    if (may(asked).allowed) (asked === 'heal' ? heal : terminate)();
  });
  useEffect(() => ask(), []);
  return (
    <section className="sf-service" aria-labelledby="service-name">
      <h1 id="service-name">{service.name}</h1>
      {props.beside}
      <ServiceLabel service={service} />
      <dl>
        <div>
          <dt>Version</dt>
          <dd>{service.version}</dd>
        </div>
        <div>
          <dt>Running</dt>
          <dd>
            {formatCount(service.runningCount)} of {formatCount(service.unitCount)} units
          </dd>
        </div>
        <div>
          <dt>Sites</dt>
          <dd>{service.sites.length === 0 ? 'none' : service.sites.join(', ')}</dd>
        </div>
      </dl>
      <div className="sf-service__actions">
        <ActionButton permission={may('move')} onClick={() => setDialog('move')}>
          Move…
        </ActionButton>
        <ActionButton variant="secondary" permission={may('scale')} onClick={() => setDialog('scale')}>
          Scale…
        </ActionButton>
        <ActionButton variant="secondary" permission={may('heal')} onClick={heal}>
          Heal
        </ActionButton>
        <ActionButton variant="secondary" isDanger permission={may('terminate')} onClick={terminate}>
          Terminate
        </ActionButton>
      </div>
      {dialog === 'move' && <MoveDialog service={service} sites={sites} onClose={close} onStarted={started} />}
      {dialog === 'scale' && <ScaleDialog service={service} onClose={close} onStarted={started} />}
    </section>
  );
}

export function ServiceLabel({ service }: { readonly service: Pick<Service, 'busy' | 'state' | 'healthy'> }) {
  if (service.busy !== undefined) {
    return (
      <Label color="blue" icon={<InProgressIcon />}>
        changing
      </Label>
    );
  }
  if (service.state === 'NOT_INSTANTIATED') return <Label color="grey">not deployed</Label>;
  return service.healthy ? (
    <Label color="green" icon={<CheckCircleIcon />}>
      healthy
    </Label>
  ) : (
    <Label color="orange" icon={<ExclamationTriangleIcon />}>
      not healthy
    </Label>
  );
}
