import type { Column } from '../list/column.ts';
import { Meter } from '../ui/meter.tsx';
import { formatMiB, share, trim } from '../view-model/format.ts';

interface Amount {
  readonly cpu: number;
  readonly memoryMiB: number;
}

/** How much of its cores and of its memory a host, or a site, has given away. */
export function usageColumns<T>(
  of: (item: T) => { readonly name: string; readonly used: Amount; readonly all: Amount },
): readonly Column<T>[] {
  return [
    {
      title: 'CPU',
      sort: 'cpu',
      width: 20,
      cell: (item) => {
        const { name, used, all } = of(item);
        const text = `${trim(used.cpu)} of ${trim(all.cpu)}`;
        return <Meter inline label={`CPU of ${name}`} used={share(used.cpu, all.cpu)} text={text} />;
      },
    },
    {
      title: 'Memory',
      sort: 'memory',
      width: 20,
      from: 'medium',
      cell: (item) => {
        const { name, used, all } = of(item);
        const text = `${formatMiB(used.memoryMiB)} of ${formatMiB(all.memoryMiB)}`;
        return <Meter inline label={`Memory of ${name}`} used={share(used.memoryMiB, all.memoryMiB)} text={text} />;
      },
    },
  ];
}
