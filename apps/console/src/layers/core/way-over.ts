import type { SiteLink } from '@superfluidity/api';

/** The links on the quickest way from one site to another (Dijkstra 1959); none where there is no way. */
export function wayOver(links: readonly SiteLink[], from: string, to: string): readonly SiteLink[] {
  const far = new Map<string, number>([[from, 0]]);
  const by = new Map<string, { readonly site: string; readonly link: SiteLink }>();
  const open = new Set([from]);
  const done = new Set<string>();
  while (open.size > 0) {
    let here: string | undefined;
    for (const site of open) if (here === undefined || far.get(site)! < far.get(here)!) here = site;
    if (here === undefined || here === to) break;
    open.delete(here);
    done.add(here);
    for (const link of links) {
      if (link.a !== here && link.b !== here) continue;
      const next = link.a === here ? link.b : link.a;
      const length = far.get(here)! + link.latencyMs;
      if (done.has(next) || length >= (far.get(next) ?? Number.POSITIVE_INFINITY)) continue;
      far.set(next, length);
      by.set(next, { site: here, link });
      open.add(next);
    }
  }
  const way: SiteLink[] = [];
  for (let at = by.get(to); at !== undefined; at = by.get(at.site)) way.unshift(at.link);
  return way;
}
