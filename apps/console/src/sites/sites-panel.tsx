import type { SiteDetail, SiteLink } from '@superfluidity/api';
import { Label } from '@patternfly/react-core';
import { CheckCircleIcon } from '@patternfly/react-icons/dist/esm/icons/check-circle-icon';
import { MinusCircleIcon } from '@patternfly/react-icons/dist/esm/icons/minus-circle-icon';
import { EnvironmentIcon, environmentNames } from '../ui/environment.tsx';
import { ErrorView } from '../ui/error-view.tsx';
import { HealthLabel } from '../ui/labels.tsx';
import { Meter } from '../ui/meter.tsx';
import { Panel } from '../ui/panel.tsx';
import {
  formatBandwidth,
  formatAmount,
  formatCount,
  formatMiB,
  formatMs,
  formatPercent,
  hitRate,
  share,
  trim,
} from '../view-model/format.ts';

const HOSTS_LISTED = 8;

/** What each site is, has and can do. */
export function SitesPanel(props: { readonly sites: readonly SiteDetail[]; readonly links: readonly SiteLink[] }) {
  if (props.sites.length === 0) return null;
  return (
    <Panel title="Sites" className="sf-panel--sites">
      <ul className="sf-site-cards">
        {props.sites.map((site) => (
          <li key={site.name}>
            <SiteCard site={site} links={props.links} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

export function SiteCard(props: {
  readonly site: SiteDetail;
  readonly links: readonly SiteLink[];
  /** Where the page has a heading and a list of hosts of its own. */
  readonly withoutHosts?: boolean;
}) {
  const { site, links } = props;
  const storage = storageOf(site);
  const environments = [...new Set(site.hosts.flatMap((host) => host.environments))];
  return (
    <article className="sf-site-card" aria-label={site.name} data-site-card={site.name}>
      <header>
        <h3 className={props.withoutHosts === true ? 'sf-offscreen' : ''}>{site.name}</h3>
        {props.withoutHosts !== true && <HealthLabel healthy={site.healthy} />}
        {site.tier !== undefined && (
          <Label isCompact variant="outline">
            {site.tier}
          </Label>
        )}
        <Label isCompact variant="outline">
          {site.kind}
        </Label>
        <span className="sf-subtle">{site.realPackets ? 'real packets' : 'simulated packets'}</span>
        <span className="sf-site-card__count">
          {formatAmount(site.unitCount, 'unit')} on {formatAmount(site.hostCount, 'host')}
        </span>
      </header>
      {site.error !== undefined && <ErrorView error={site.error} title="The site has a problem" />}
      <div className="sf-site-card__columns">
        <section>
          <h4>Capacity</h4>
          <Meter
            label="CPU"
            used={share(site.used.cpu, site.capacity.cpu)}
            text={`${trim(site.used.cpu)} of ${trim(site.capacity.cpu)}`}
          />
          <Meter
            label="Memory"
            used={share(site.used.memoryMiB, site.capacity.memoryMiB)}
            text={`${formatMiB(site.used.memoryMiB)} of ${formatMiB(site.capacity.memoryMiB)}`}
          />
          {storage.all > 0 && (
            <Meter
              label="Storage"
              used={share(storage.used, storage.all)}
              text={`${formatMiB(storage.used)} of ${formatMiB(storage.all)}`}
            />
          )}
          {props.withoutHosts !== true && <HostMeters site={site} />}
        </section>
        <section>
          <h4>Runs</h4>
          <ul className="sf-environments">
            {environments.map((environment) => (
              <li key={environment}>
                <EnvironmentIcon of={environment} /> {environmentNames[environment]}
              </li>
            ))}
          </ul>
          <details>
            <summary>
              {site.capabilities.filter((capability) => capability.present).length} of {site.capabilities.length}{' '}
              capabilities
            </summary>
            <ul className="sf-capabilities">
              {site.capabilities.map((capability) => (
                <li key={capability.name} className={capability.present ? '' : 'sf-capabilities__absent'}>
                  {capability.present ? <CheckCircleIcon aria-label="yes" /> : <MinusCircleIcon aria-label="no" />}
                  <span>
                    {capability.name}
                    {capability.note !== undefined && <small>{capability.note}</small>}
                  </span>
                </li>
              ))}
            </ul>
          </details>
        </section>
        <section>
          <h4>Pools</h4>
          {site.pools.length === 0 && (
            <p className="sf-subtle">None. They begin to fill when a descriptor is enabled.</p>
          )}
          <ul className="sf-pools">
            {site.pools.map((pool) => {
              const rate = hitRate(pool);
              return (
                <li key={pool.name}>
                  <Meter
                    stock
                    label={pool.name}
                    used={share(pool.ready, pool.wanted)}
                    text={`${pool.ready} of ${pool.wanted} ready`}
                  />
                  <span className="sf-subtle">
                    {rate === undefined
                      ? 'not asked yet'
                      : `${formatPercent(rate)} hits of ${formatCount(pool.hits + pool.misses)}`}
                  </span>
                </li>
              );
            })}
          </ul>
          <h4>Links</h4>
          <ul className="sf-site-links">
            {links
              .filter((link) => link.a === site.name || link.b === site.name)
              .map((link) => (
                <li key={`${link.a}-${link.b}`}>
                  to <strong>{link.a === site.name ? link.b : link.a}</strong> {formatMs(link.latencyMs)}
                  {link.jitterMs > 0 && ` ± ${formatMs(link.jitterMs)}`} one way, {formatBandwidth(link.bandwidthMbps)}
                  {link.loss > 0 && `, loss ${formatPercent(link.loss)}`}
                </li>
              ))}
          </ul>
        </section>
      </div>
    </article>
  );
}

/** Of all its hosts; none where the site does not say. */
function storageOf({ hosts }: SiteDetail): { readonly used: number; readonly all: number } {
  const sum = { used: 0, all: 0 };
  for (const { storageMiB, used } of hosts) {
    sum.used += used.storageMiB;
    sum.all += storageMiB;
  }
  return sum;
}

function HostMeters({ site }: { readonly site: SiteDetail }) {
  return (
    <>
      <h4>Hosts</h4>
      <ul className="sf-hosts">
        {site.hosts.slice(0, HOSTS_LISTED).map((host) => (
          <li key={host.name}>
            <span>{host.name}</span>
            <Meter small label={`${host.name} CPU`} used={share(host.used.cpu, host.cpu)} />
            <Meter small label={`${host.name} memory`} used={share(host.used.memoryMiB, host.memoryMiB)} />
          </li>
        ))}
        {site.hosts.length > HOSTS_LISTED && <li className="sf-subtle">and {site.hosts.length - HOSTS_LISTED} more</li>}
      </ul>
    </>
  );
}
