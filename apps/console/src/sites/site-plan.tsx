import './site-plan.css';
import type { Site, SiteLink } from '@superfluidity/api';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { Panel } from '../ui/panel.tsx';
import { formatAmount, formatMs, formatPercent, share } from '../view-model/format.ts';
import { PLAN, planSites } from '../view-model/site-plan.ts';

const R = 21;
const TURN = 2 * Math.PI * R;

/** All sites where they are, or by how far from each other: how full each is, and which do not answer. */
export function SitePlanPanel({
  sites,
  links,
}: {
  readonly sites: readonly Site[];
  readonly links: readonly SiteLink[];
}) {
  const plan = useMemo(() => planSites(sites, links), [sites, links]);
  const shown = links.filter(({ a, b }) => plan.places.has(a) && plan.places.has(b));
  if (sites.length < 2) return null;
  return (
    <Panel
      title="Where the sites are"
      className="sf-panel--plan"
      aside={
        <span className="sf-subtle">
          {plan.by === 'coordinates' ? 'by coordinates, north is up' : 'by latency'}; the ring is the CPU that is taken
          {sites.length > PLAN.sitesMax && `; the first ${PLAN.sitesMax} of ${sites.length}`}
        </span>
      }
    >
      <svg className="sf-plan" viewBox={`0 0 ${plan.width} ${plan.height}`} data-plan={plan.by}>
        {shown.map(({ a, b, latencyMs }) => {
          const [from, to] = [plan.places.get(a)!, plan.places.get(b)!];
          // Beside the line, and further where it is steep: the text is wider than high.
          const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
          const aside = { x: (26 * Math.abs(to.y - from.y)) / length, y: (-8 * Math.abs(to.x - from.x)) / length };
          return (
            <g key={`${a} ${b}`} className="sf-plan__link">
              <line x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
              <text x={(from.x + to.x) / 2 + aside.x} y={(from.y + to.y) / 2 + aside.y + 4}>
                {formatMs(latencyMs)}
              </text>
            </g>
          );
        })}
        {sites.slice(0, PLAN.sitesMax).map((site) => (
          <SiteMark key={site.name} site={site} at={plan.places.get(site.name)!} />
        ))}
      </svg>
    </Panel>
  );
}

function SiteMark({ site, at }: { readonly site: Site; readonly at: { readonly x: number; readonly y: number } }) {
  const used = share(site.used.cpu, site.capacity.cpu);
  return (
    <Link
      to="/infrastructure/$site"
      params={{ site: site.name }}
      className={`sf-plan__site ${site.healthy ? '' : 'sf-plan__site--ill'}`}
      data-plan-site={site.name}
    >
      <g transform={`translate(${at.x} ${at.y})`}>
        <circle r={R} className="sf-plan__ground" />
        {site.healthy ? (
          <circle
            r={R}
            className={`sf-plan__used ${used > 0.9 ? 'sf-plan__used--full' : ''}`}
            strokeDasharray={`${used * TURN} ${TURN}`}
            transform="rotate(-90)"
          />
        ) : (
          <path d="M-7-7L7 7M7-7L-7 7" className="sf-plan__cross" />
        )}
        {/* In the order in which it is read out: the text is the name of the link. */}
        <text y={R + 17} className="sf-plan__name">
          {site.name}
        </text>
        {site.healthy && <text y="4">{` ${formatPercent(used)} `}</text>}
        <text y={R + 30} className="sf-plan__units">
          {site.healthy ? formatAmount(site.unitCount, 'unit') : ' does not answer'}
        </text>
      </g>
    </Link>
  );
}
