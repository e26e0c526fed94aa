import type * as lab from '../item.ts';
import type { Lab } from './lab.ts';

export type Item = lab.Item<Lab>;
export type Task = lab.Task<Lab>;
export type Service = lab.Service<Lab>;
export type { LabProcess } from '../item.ts';
