import { SearchInput } from '@patternfly/react-core';
import { type ReactNode, useState } from 'react';
import { walk, type Service } from '@superfluidity/model';
import { ReasonButton } from '../ui/action-button.tsx';
import type { Alignment } from './core/arrange.ts';
import type { Permission } from '../view-model/permitted.ts';

const FOUND_MAX = 8;
const alignments: readonly (readonly [Alignment, string])[] = [
  ['left', 'Align left'],
  ['top', 'Align top'],
  ['row', 'In a row'],
  ['column', 'In a column'],
];

/** What can be done with what is selected, without a mouse too. What cannot be done says why. */
export function SelectionBar(props: {
  readonly count: number;
  readonly may: Readonly<Record<'open' | 'connect' | 'chain' | 'delete' | 'align', Permission>>;
  readonly onOpen: () => void;
  readonly onConnect: () => void;
  readonly onChain: () => void;
  readonly onDelete: () => void;
  readonly onAlign: (how: Alignment) => void;
  readonly onArrange: () => void;
}) {
  const { may } = props;
  return (
    <div className="sf-bar" role="toolbar" aria-label="Selection" data-selected={props.count}>
      <Act may={may.open} onClick={props.onOpen}>
        Open
      </Act>
      <Act may={may.connect} onClick={props.onConnect}>
        Connect
      </Act>
      <Act may={may.chain} onClick={props.onChain}>
        Chain
      </Act>
      <Act may={may.delete} onClick={props.onDelete}>
        Delete
      </Act>
      <span className="sf-bar__line" />
      {may.align.allowed &&
        alignments.map(([how, title]) => (
          <Act key={how} may={may.align} onClick={() => props.onAlign(how)}>
            {title}
          </Act>
        ))}
      <Act may={{ allowed: true }} onClick={props.onArrange}>
        Arrange
      </Act>
    </div>
  );
}

function Act({
  may,
  onClick,
  children,
}: {
  readonly may: Permission;
  readonly onClick: () => void;
  readonly children: ReactNode;
}) {
  return (
    <ReasonButton variant="tertiary" size="sm" permission={may} onClick={onClick}>
      {children}
    </ReasonButton>
  );
}

/** Finds blocks in the whole design, however deep, and goes there. */
export function Finder({ service, onGo }: { readonly service: Service; readonly onGo: (path: string) => void }) {
  const [typed, setTyped] = useState('');
  const wanted = typed.trim().toLowerCase();
  const found: string[] = [];
  if (wanted !== '')
    for (const { path, block } of walk(service.block)) {
      if (path === '' || !`${path} ${block.execution?.environment ?? ''}`.toLowerCase().includes(wanted)) continue;
      found.push(path);
      if (found.length === FOUND_MAX) break;
    }
  const go = (path: string) => {
    setTyped('');
    onGo(path);
  };
  return (
    <div className="sf-find">
      <SearchInput
        aria-label="Find a block"
        placeholder="Find a block"
        value={typed}
        onChange={(_event, value) => setTyped(value)}
        onClear={() => setTyped('')}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && found[0] !== undefined) go(found[0]);
        }}
      />
      {wanted !== '' && (
        <ul className="sf-find__list" aria-label="Found">
          {found.map((path) => (
            <li key={path}>
              <button type="button" data-found={path} onClick={() => go(path)}>
                {path}
              </button>
            </li>
          ))}
          {found.length === 0 && <li className="sf-subtle">Nothing is called so.</li>}
        </ul>
      )}
    </div>
  );
}
