import type { SiteDetail } from '@superfluidity/api';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { createStore, useStore } from '../data/store.ts';
import { LOOK_EVERY_MS, looked, type PoolHistory } from './pool-history.ts';

/** Of this tab of the browser, so that it is there again when one comes back to the page. */
const history = createStore<PoolHistory>(new Map());

/** Looks at the pools again and again while they are shown. */
export function usePoolHistory(sites: readonly SiteDetail[]): PoolHistory {
  const cache = useQueryClient();
  useEffect(() => {
    if (sites.length > 0) history.set(looked(history.get(), sites, Date.now()));
  }, [sites]);
  useEffect(() => {
    const timer = setInterval(() => void cache.invalidateQueries({ queryKey: ['site'] }), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [cache]);
  return useStore(history);
}
