import type { DescriptionModel } from '@superfluidity/dialects/languages';
import { Suspense, useCallback, useMemo, useState } from 'react';
import { Empty } from '../ui/empty.tsx';
import { lazyView } from '../ui/lazy-view.tsx';
import type { Point } from '../view-model/layout.ts';
import type { Permission } from '../view-model/permitted.ts';
import { ActionMenu, type MenuEntry } from './action-menu.tsx';
import { aligned, type Alignment, sizeOf } from './core/arrange.ts';
import type { End } from './core/edits.ts';
import type { LevelEdge, LevelNode } from './core/level.ts';
import { designLimits } from './core/limits.ts';
import * as operations from './core/operations.ts';
import { actionsOf, type PaletteEntry } from './core/palette.ts';
import type { Compared } from './designer.tsx';
import { layoutLevel } from './graph/layout-level.ts';
import { usePlaces } from './graph/use-places.ts';
import { Finder, SelectionBar } from './selection-bar.tsx';
import type { Design } from './use-design.ts';

export const GraphView = lazyView(() => import('./graph/graph-view.tsx'));
const NO_DIFFERENCES = new Map<string, never>();
const NOTHING_FOUND: ReadonlySet<string> = new Set();

interface DesignGraphProps {
  readonly design: Design;
  readonly chosen: readonly string[];
  readonly compared: Compared | undefined;
  readonly entries: readonly PaletteEntry[];
  readonly model: DescriptionModel | undefined;
  readonly onSelect: (ids: readonly string[]) => void;
  readonly onOpen: (path: string, selects?: string) => void;
  readonly onConnect: (from: End, to: End) => void;
  readonly onRun: (change: Parameters<Design['edit']>[0]) => operations.Done;
  readonly onNotice: (words: string | undefined) => void;
  readonly onAddDescriptor: (id: string) => void;
  readonly onShowText: (thing: LevelNode | LevelEdge) => void;
}

/** The graph of what is open, or why there is none. */
export function DesignGraph(props: DesignGraphProps) {
  const { drawn } = props.design;
  if (drawn === undefined)
    return (
      <div className="sf-canvas sf-canvas--none" data-undrawn="unread">
        <Empty title="Nothing can be drawn yet">
          The text cannot be read. What is wrong stands beside it; as soon as it can be read, its graph is here.
        </Empty>
      </div>
    );
  if (drawn.level.nodes.length > designLimits.drawn)
    return (
      <div className="sf-canvas sf-canvas--none" data-undrawn="large">
        <Empty title={`${drawn.level.nodes.length} blocks are too many to be drawn at once`}>
          At most {designLimits.drawn} are. Go on in the text, or group the blocks in functions of several units.
        </Empty>
      </div>
    );
  return <Drawn {...props} drawn={drawn} />;
}

function Drawn(props: DesignGraphProps & { readonly drawn: operations.Drawn }) {
  const { design, drawn, chosen, onSelect, onRun, onNotice, onOpen } = props;
  const { level, service } = drawn;
  const { path } = level.open;
  const { dispatch } = design;
  const failed = useCallback(
    (why: string) =>
      onNotice(`It could not be arranged (${why}), and is shown in rows. Everything can be moved by hand.`),
    [onNotice],
  );
  const { places, arranged } = usePlaces(level, design.places[path], failed);
  const [arrangements, setArrangements] = useState(0);
  const [menu, setMenu] = useState<{ readonly of: 'node' | 'link'; readonly at: Point }>();
  const marking = useMemo(
    () => ({ differences: props.compared?.of ?? NO_DIFFERENCES, found: NOTHING_FOUND }),
    [props.compared],
  );
  const nodes = chosen.flatMap((id) => level.nodes.find((node) => node.id === id) ?? []);
  const edges = chosen.flatMap((id) => level.edges.find((edge) => edge.id === id) ?? []);
  const move = (moved: Readonly<Record<string, Point>>) => dispatch({ type: 'moved', level: path, places: moved });
  const place = (id: string | undefined, at: Point) => {
    if (id !== undefined) move({ [id]: at });
  };
  const drop = (entry: string, at: Point) => {
    if (entry.startsWith('descriptor:')) return props.onAddDescriptor(entry.slice('descriptor:'.length));
    const known = props.entries.find(({ id }) => id === entry);
    if (known === undefined) return;
    const done = onRun((now) => operations.add(now, known));
    if ('text' in done) place(done.selects?.[0], at);
  };
  const remove = () => {
    if (nodes.length + edges.length > 0) onRun((now) => operations.removed(now, nodes, edges));
  };
  const align = (how: Alignment) =>
    move(
      Object.fromEntries(
        aligned(new Map(nodes.map((node) => [node.id, { ...places.get(node.id)!, ...sizeOf(node) }])), how),
      ),
    );
  const arrange = () => {
    layoutLevel(level).then(
      (laidOut) => {
        move(Object.fromEntries(laidOut));
        setArrangements((before) => before + 1);
      },
      (error: unknown) => {
        dispatch({ type: 'unplaced', level: path });
        failed(error instanceof Error ? error.message : String(error));
      },
    );
  };
  const up = () => {
    if (level.line.length > 1) onOpen(level.line.at(-2)!.path);
  };
  const goTo = (found: string) => {
    const above = found.includes('/') ? found.slice(0, found.lastIndexOf('/')) : '';
    onOpen(above, `block:${found.slice(found.lastIndexOf('/') + 1)}`);
  };
  const copy = (clipboard: DataTransfer) => {
    const part = nodes.length > 0 ? operations.fragment(drawn, nodes, level.edges) : '';
    if (part !== '') clipboard.setData('text/plain', part);
  };
  const paste = (text: string) => onRun((now) => operations.pasted(now, text));
  const [only] = nodes;
  const may = permissions(design, nodes, edges.length);
  const acts: Readonly<Record<string, { readonly may: Permission; readonly act: () => void }>> = {
    open: { may: may.open, act: () => onOpen(only!.opens!) },
    text: { may: { allowed: true }, act: () => props.onShowText((only ?? edges[0])!) },
    copy: {
      may: nodes.length > 0 ? { allowed: true } : { allowed: false, reason: 'Select a block first.' },
      act: () => void navigator.clipboard.writeText(operations.fragment(drawn, nodes, level.edges)),
    },
    delete: { may: may.delete, act: remove },
  };
  const entriesOf = (of: 'node' | 'link'): readonly MenuEntry[] =>
    (props.model === undefined ? [] : actionsOf(props.model, level.open.block.kind, of)).map(
      ({ id, title, callback }) => {
        const known = acts[callback ?? id];
        const reason = known?.may.allowed === false ? known.may.reason : undefined;
        const disabled = known === undefined ? `'${callback ?? id}' is an action of another program.` : reason;
        return { id, title, disabled, act: known?.act ?? (() => {}) };
      },
    );

  return (
    <>
      <Finder service={service} onGo={goTo} />
      <SelectionBar
        count={nodes.length + edges.length}
        may={may}
        onOpen={acts['open']!.act}
        onConnect={() => props.onConnect({ node: nodes[0]! }, { node: nodes[1]! })}
        onChain={() => onRun((now) => operations.chained(now, nodes))}
        onDelete={remove}
        onAlign={align}
        onArrange={arrange}
      />
      {design.isStale && (
        <p className="sf-stale" role="status" data-stale-graph>
          The text cannot be read now: this is the graph of the last one that could.
        </p>
      )}
      <div className="sf-canvas__room">
        <Suspense fallback={null}>
          <GraphView
            level={level}
            places={places}
            arranged={`${arranged} ${arrangements}`}
            selected={chosen}
            marking={marking}
            stale={design.isStale}
            onSelect={onSelect}
            onOpen={onOpen}
            onUp={up}
            onConnect={props.onConnect}
            onMove={move}
            onDelete={remove}
            onDrop={drop}
            onMenu={(of, at) => setMenu({ of, at })}
            onCopy={copy}
            onPaste={paste}
            onUndo={() => dispatch({ type: 'undo' })}
            onRedo={() => dispatch({ type: 'redo' })}
          />
        </Suspense>
        {level.nodes.length === 0 && (
          <div className="sf-canvas__empty">
            <Empty title="Nothing is in it yet">Drag something from the left, or press it.</Empty>
          </div>
        )}
        {menu !== undefined && chosen.length > 0 && (
          <ActionMenu at={menu.at} entries={entriesOf(menu.of)} onClose={() => setMenu(undefined)} />
        )}
      </div>
    </>
  );
}

const yes: Permission = { allowed: true };
const no = (reason: string): Permission => ({ allowed: false, reason });

function permissions(design: Design, nodes: readonly LevelNode[], edges: number) {
  const blocks = nodes.filter(({ kind }) => kind === 'function' || kind === 'unit');
  const changes = design.isStale ? no('The text cannot be read: mend it first.') : yes;
  const then = (may: Permission) => (changes.allowed ? may : changes);
  return {
    open: nodes.length === 1 && nodes[0]!.opens !== undefined ? yes : no('Select one block that has an inside.'),
    connect: then(
      nodes.length === 2 ? yes : no('Select two things; or drag from port to port, or press Shift and click.'),
    ),
    chain: then(blocks.length > 1 ? yes : no('Select the blocks of the chain in their order.')),
    delete: then(nodes.length + edges > 0 ? yes : no('Nothing is selected.')),
    align: nodes.length > 1 ? yes : no('Select several things.'),
  };
}
