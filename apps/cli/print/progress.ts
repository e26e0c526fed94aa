import type { OperationDetail, Step } from '@superfluidity/api';
import type { Style } from './style.ts';
import { displayWidth, printable } from './table.ts';
import { milliseconds } from './values.ts';

const symbols: Record<Step['state'], string> = {
  pending: '·',
  running: '▸',
  done: '✓',
  failed: '✗',
  undoing: '◂',
  undone: '↺',
  skipped: '–',
};

/** The operation as a list that fits a terminal of this size: what is done gives way to what is happening. */
export function progressLines(
  operation: OperationDetail,
  size: { rows: number; columns: number },
  nowMs: number,
  style: Style,
): string[] {
  const { steps } = operation;
  const over = steps.filter((step) => !['pending', 'running', 'undoing'].includes(step.state)).length;
  const head = `${style.bold(`${operation.kind} ${operation.service}`)}  ${operation.state}  ${over}/${steps.length}  ${milliseconds(nowMs - operation.startedAt)}`;
  const room = Math.max(3, size.rows - 3);
  const shown = steps.length <= room ? steps : mostTelling(steps, room - 1);
  const hidden = steps.length - shown.length;
  const free = room - shown.length;
  const lines = shown.flatMap((step) => [
    stepLine(step, nowMs, style, size.columns),
    ...(step.state === 'running' || step.state === 'undoing' ? lastDetail(step, free, style, size.columns) : []),
  ]);
  return [head, ...lines, ...(hidden > 0 ? [style.dim(`  and ${hidden} more`)] : [])];
}

export function stepLine(step: Step, nowMs: number, style: Style, columns = 200): string {
  const took = step.startedAt === undefined ? '' : `  ${milliseconds((step.endedAt ?? nowMs) - step.startedAt)}`;
  const again = step.attempt > 1 ? `  attempt ${step.attempt}` : '';
  const text = cut(
    `${symbols[step.state]} ${printable(step.title)}`,
    Math.max(10, columns - 4 - took.length - again.length),
  );
  return `  ${colour(step.state, style)(text)}${style.dim(took + again)}`;
}

/** What a site told last of what it is at. */
function lastDetail({ detail = [] }: Step, free: number, style: Style, columns: number): readonly string[] {
  const lines = free < 1 ? [] : detail.slice(-Math.min(DETAIL_LINES, free));
  return lines.map((line) => style.dim(cut(`      ${detailText(line)}`, columns)));
}

const DETAIL_LINES = 4;

type Line = NonNullable<Step['detail']>[number];

export function detailText({ what, state, reason }: Line): string {
  return printable(`${what} ${state}${reason === undefined ? '' : `: ${reason}`}`);
}

const importance: readonly Step['state'][] = ['failed', 'running', 'undoing', 'pending', 'undone', 'skipped', 'done'];

function mostTelling(steps: readonly Step[], count: number): readonly Step[] {
  const chosen = new Set(
    [...steps].sort((a, b) => importance.indexOf(a.state) - importance.indexOf(b.state)).slice(0, count),
  );
  return steps.filter((step) => chosen.has(step));
}

function colour(state: Step['state'], style: Style): (text: string) => string {
  if (state === 'done') return style.green;
  if (state === 'failed') return style.red;
  if (state === 'running' || state === 'undoing') return style.yellow;
  return style.dim;
}

function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let short = text;
  while (displayWidth(short) > width - 1) short = short.slice(0, -1);
  return `${short}…`;
}

/** What changed from one look to the next, for logs and pipes: one line for each step that began or ended. */
export function changedSteps(before: OperationDetail | undefined, now: OperationDetail): readonly Step[] {
  const states = new Map(before?.steps.map((step) => [step.id, step.state]));
  return now.steps.filter((step) => step.state !== 'pending' && states.get(step.id) !== step.state);
}

/** What was told of steps from one look to the next. */
export function newDetail(before: OperationDetail | undefined, now: OperationDetail): readonly Line[] {
  const known = new Map(before?.steps.map((step) => [step.id, step.detail?.length ?? 0]));
  return now.steps.flatMap((step) => step.detail?.slice(known.get(step.id) ?? 0) ?? []);
}
