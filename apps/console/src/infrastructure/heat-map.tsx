import type { HostLoad } from '@superfluidity/api';
import { Button, ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { useNavigate } from '@tanstack/react-router';
import {
  type KeyboardEvent,
  type PointerEvent,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useStore } from '../data/store.ts';
import { theme } from '../data/theme.ts';
import { formatCount } from '../view-model/format.ts';
import {
  type Cell,
  cellAt,
  type HeatMap as Map,
  layoutHeat,
  LOAD_STEPS,
  stepOfLoad,
  type View,
  wholeView,
  zoomed,
} from '../view-model/heat-map.ts';

const PAN_PX = 60;
const ZOOM = 1.25;
/** From this size of a cell on, there are gaps between them, and the names of hosts in them. */
const GAPS_FROM_PX = 5;
const NAMES_FROM_PX = 34;

/** Every host of every site as a cell coloured by its load. Dragged, zoomed by the wheel, or by the keys + - and the arrows. */
export function HeatMap(props: {
  readonly loads: readonly HostLoad[];
  readonly by: 'cpu' | 'memory';
  readonly onBy: (by: 'cpu' | 'memory') => void;
}) {
  const { loads, by } = props;
  const navigate = useNavigate();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [room, setRoom] = useState({ width: 900, height: 420 });
  const map = useMemo(() => layoutHeat(loads, by, room.width / room.height), [loads, by, room]);
  const colours = useColours();
  const picture = useMemo(() => pictureOf(map, colours), [map, colours]);
  const view = useRef<View>(wholeView(map, room));
  const touched = useRef(false);
  const frame = useRef(0);
  const [under, setUnder] = useState<Cell>();

  const draw = useCallback(() => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      if (canvas.current !== null) paint(canvas.current, map, picture, view.current, room, colours);
    });
  }, [map, picture, room, colours]);
  const show = (next: View) => {
    touched.current = true;
    view.current = next;
    draw();
  };
  useLayoutEffect(() => {
    if (!touched.current) view.current = wholeView(map, room);
    draw();
  }, [map, room, draw]);
  useEffect(() => {
    const element = canvas.current!;
    const observer = new ResizeObserver(() =>
      setRoom({ width: Math.max(1, element.clientWidth), height: Math.max(1, element.clientHeight) }),
    );
    observer.observe(element);
    // Not passive, as a listener of React would be: the page must not scroll meanwhile.
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      touched.current = true;
      view.current = zoomed(view.current, event.deltaY < 0 ? ZOOM : 1 / ZOOM, { x: event.offsetX, y: event.offsetY });
      draw();
    };
    element.addEventListener('wheel', wheel, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener('wheel', wheel);
    };
  }, [draw]);

  const at = (event: PointerEvent) => ({ x: event.nativeEvent.offsetX, y: event.nativeEvent.offsetY });
  const dragged = useRef(0);
  const move = (event: PointerEvent) => {
    const { x, y, scale } = view.current;
    if (event.buttons === 1) {
      dragged.current += Math.abs(event.movementX) + Math.abs(event.movementY);
      show({ x: x - event.movementX / scale, y: y - event.movementY / scale, scale });
      return;
    }
    const point = at(event);
    setUnder(cellAt(map, x + point.x / scale, y + point.y / scale));
  };
  const press = (event: KeyboardEvent) => {
    const { x, y, scale } = view.current;
    const middle = { x: room.width / 2, y: room.height / 2 };
    const steps: Readonly<Record<string, View>> = {
      ArrowLeft: { x: x - PAN_PX / scale, y, scale },
      ArrowRight: { x: x + PAN_PX / scale, y, scale },
      ArrowUp: { x, y: y - PAN_PX / scale, scale },
      ArrowDown: { x, y: y + PAN_PX / scale, scale },
      '+': zoomed(view.current, ZOOM, middle),
      '-': zoomed(view.current, 1 / ZOOM, middle),
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    show(next);
  };
  const count = loads.reduce((sum, one) => sum + one.hosts.length, 0);
  const full = loads.reduce(
    (sum, one) => sum + (by === 'cpu' ? one.cpu : one.memory).filter((load) => load >= 80).length,
    0,
  );
  return (
    <div className="sf-heat" data-heat-hosts={count}>
      <div className="sf-heat__bar">
        <ToggleGroup aria-label="Coloured by" isCompact>
          <ToggleGroupItem text="CPU" isSelected={by === 'cpu'} onChange={() => props.onBy('cpu')} />
          <ToggleGroupItem text="Memory" isSelected={by === 'memory'} onChange={() => props.onBy('memory')} />
        </ToggleGroup>
        <ul className="sf-heat__legend" aria-label="Colours">
          {LOAD_STEPS.map((step, i) => (
            <li key={step}>
              <i style={{ background: colours.steps[i] }} /> {step}
              {i === LOAD_STEPS.length - 1 ? ' % and more' : `–${LOAD_STEPS[i + 1]} %`}
            </li>
          ))}
          <li>
            <i style={{ background: colours.closed }} /> takes no units
          </li>
        </ul>
        <Button
          size="sm"
          variant="secondary"
          onClick={() => {
            touched.current = false;
            view.current = wholeView(map, room);
            draw();
          }}
        >
          Show all
        </Button>
      </div>
      <canvas
        ref={canvas}
        className="sf-heat__canvas"
        tabIndex={0}
        role="img"
        aria-label={`${formatCount(count)} hosts by ${by === 'cpu' ? 'CPU' : 'memory'}: ${formatCount(full)} above 80 percent. The list of hosts says the same in words.`}
        onPointerMove={move}
        onPointerLeave={() => setUnder(undefined)}
        onPointerDown={(event) => {
          dragged.current = 0;
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onClick={() => {
          if (under !== undefined && dragged.current < 4)
            void navigate({ to: '/infrastructure', search: { tab: 'hosts', site: under.site, search: under.host } });
        }}
        onKeyDown={press}
      />
      <p className="sf-heat__under" aria-live="polite">
        {under === undefined
          ? 'Point at a cell to see which host it is; press it for the list.'
          : `${under.site}/${under.host}: ${under.load < 0 ? 'takes no units' : `${under.load} %`}`}
      </p>
    </div>
  );
}

interface Colours {
  readonly steps: readonly string[];
  readonly closed: string;
  readonly text: string;
  /** Of the names in cells, by step: what can be read on them. */
  readonly onCell: (load: number) => string;
}

function useColours(): Colours {
  const shown = useStore(theme);
  return useMemo(
    () =>
      shown === 'dark'
        ? {
            steps: ['#1d3a5c', '#20588c', '#2f7fb8', '#e0a63a', '#e8812f', '#ff5c3c'],
            closed: '#39445c',
            text: '#e6ecf7',
            onCell: (load: number) => (stepOfLoad(load) < 2 ? '#cfdcf2' : '#06101f'),
          }
        : {
            steps: ['#d3e5f5', '#9cc7e8', '#5ba3d4', '#f2c14e', '#e5812a', '#c2410c'],
            closed: '#b9c2d0',
            text: '#16202f',
            onCell: () => '#0b1626',
          },
    [shown],
  );
}

/** One pixel for each cell. */
function pictureOf(map: Map, colours: Colours): OffscreenCanvas {
  const picture = new OffscreenCanvas(map.width, map.height);
  const pixels = new ImageData(map.width, map.height);
  const words = new Uint32Array(pixels.data.buffer);
  const steps = colours.steps.map(pixelOf);
  const closed = pixelOf(colours.closed);
  for (const block of map.blocks) {
    for (let i = 0; i < block.hosts.length; i += 1) {
      const step = stepOfLoad(block.load[i]!);
      const at = (block.y + Math.floor(i / block.columns)) * map.width + block.x + (i % block.columns);
      words[at] = step < 0 ? closed : steps[step]!;
    }
  }
  picture.getContext('2d')!.putImageData(pixels, 0, 0);
  return picture;
}

/** As it lies in memory: alpha, blue, green, red. */
function pixelOf(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((from) => Number.parseInt(colour.slice(from, from + 2), 16)) as [
    number,
    number,
    number,
  ];
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

function paint(
  canvas: HTMLCanvasElement,
  map: Map,
  picture: OffscreenCanvas,
  view: View,
  room: { width: number; height: number },
  colours: Colours,
): void {
  const ratio = devicePixelRatio;
  const [width, height] = [Math.round(room.width * ratio), Math.round(room.height * ratio)];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d')!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, room.width, room.height);
  context.imageSmoothingEnabled = view.scale < 1;
  const { x, y, scale } = view;
  context.drawImage(picture, -x * scale, -y * scale, map.width * scale, map.height * scale);
  if (scale >= GAPS_FROM_PX) gaps(context, map, view, room);
  context.fillStyle = colours.text;
  context.font = '600 13px "Red Hat Text", sans-serif';
  context.textBaseline = 'alphabetic';
  for (const block of map.blocks) {
    const [left, top] = [(block.x - x) * scale, (block.y - y) * scale];
    if (top < -20 || top > room.height + 20) continue;
    const name = `${block.site} · ${formatCount(block.hosts.length)} hosts`;
    if (context.measureText(block.site).width < block.columns * scale + 40)
      context.fillText(name, Math.max(4, left), Math.max(14, top - 5));
  }
  if (scale >= NAMES_FROM_PX) names(context, map, view, room, colours);
}

function gaps(
  context: CanvasRenderingContext2D,
  map: Map,
  { x, y, scale }: View,
  room: { width: number; height: number },
): void {
  const left = Math.max(0, Math.floor(x));
  const right = Math.min(map.width, Math.ceil(x + room.width / scale));
  const top = Math.max(0, Math.floor(y));
  const bottom = Math.min(map.height, Math.ceil(y + room.height / scale));
  const gap = Math.min(3, scale / 8);
  for (let column = left; column <= right; column += 1)
    context.clearRect((column - x) * scale - gap / 2, 0, gap, room.height);
  for (let row = top; row <= bottom; row += 1) context.clearRect(0, (row - y) * scale - gap / 2, room.width, gap);
}

function names(
  context: CanvasRenderingContext2D,
  map: Map,
  { x, y, scale }: View,
  room: { width: number; height: number },
  colours: Colours,
): void {
  context.font = '10px "Red Hat Mono", monospace';
  for (let row = Math.max(0, Math.floor(y)); row < y + room.height / scale; row += 1) {
    for (let column = Math.max(0, Math.floor(x)); column < x + room.width / scale; column += 1) {
      const cell = cellAt(map, column, row);
      if (cell === undefined) continue;
      context.fillStyle = colours.onCell(cell.load);
      context.fillText(cell.host.slice(-6), (column - x) * scale + 4, (row - y) * scale + 14, scale - 8);
    }
  }
}
