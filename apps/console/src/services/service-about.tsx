import type { ServiceDetail } from '@superfluidity/api';
import { Card, CardBody, CardTitle } from '@patternfly/react-core';
import { Link } from '@tanstack/react-router';
import { Ago, Facts } from '../ui/facts.tsx';
import { formatMs } from '../view-model/format.ts';

/** From what a service was made, and the chains that packets take through it. */
export function ServiceAbout({ service }: { readonly service: ServiceDetail }) {
  return (
    <div className="sf-cards">
      <Card>
        <CardTitle component="h2">Service</CardTitle>
        <CardBody>
          <Facts
            of={[
              ['Id', <code key="id">{service.id}</code>],
              ['Version', service.version],
              [
                'Descriptor',
                <Link key="descriptor" to="/catalogue/$id" params={{ id: service.descriptorId }}>
                  {service.descriptorId}
                </Link>,
              ],
              ['Since', <Ago key="since" at={service.createdAt} />],
            ]}
          />
        </CardBody>
      </Card>
      {service.chains.map((chain) => (
        <Card key={chain.name}>
          <CardTitle component="h2">Chain {chain.name}</CardTitle>
          <CardBody>
            <Facts
              of={[
                ['Address', <code key="address">{chain.address}</code>],
                ['Version', chain.version],
                ['One way', formatMs(chain.latencyMs)],
                [
                  'Hops',
                  <ol key="hops" className="sf-hops">
                    {chain.hops.map((hop, i) => (
                      <li key={i}>
                        {hop.site}/{hop.host} <code>{hop.sid}</code>
                      </li>
                    ))}
                  </ol>,
                ],
              ]}
            />
          </CardBody>
        </Card>
      ))}
    </div>
  );
}
