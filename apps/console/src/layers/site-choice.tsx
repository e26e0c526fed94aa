import { ListSearch } from '../list/list-search.tsx';
import { Empty } from '../ui/empty.tsx';
import { formatAmount, formatCount } from '../view-model/format.ts';
import { DRAWN_LIMITS } from '../view-model/drawn-sites.ts';

/** Where there are more sites than a picture holds: which of them it shows. */
export function SiteChoice(props: {
  readonly of: number;
  readonly text: string;
  readonly onText: (text: string | undefined) => void;
}) {
  const { of, text, onText } = props;
  if (of <= DRAWN_LIMITS.sites && text === '') return null;
  return (
    <>
      <span className="sf-switcher">
        <ListSearch label="Search sites" words="Part of the name of a site" value={text} onChange={onText} />
      </span>
      <span aria-live="polite" data-sites={of}>
        {of <= DRAWN_LIMITS.sites
          ? formatAmount(of, 'site')
          : `${formatCount(DRAWN_LIMITS.sites)} of ${formatAmount(of, 'site')}`}
      </span>
    </>
  );
}

export const NoSuchSite = () => <Empty title="No such site">No site here has that in its name.</Empty>;
