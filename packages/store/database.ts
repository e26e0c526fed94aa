import type { Json } from '@superfluidity/core';
import type { ColumnType, Generated, GeneratedAlways } from 'kysely';

declare const jsonText: unique symbol;
/** The text of a JSON value, made by `toJson`: `pg` would send a bare array as an SQL array and a bare string unquoted. */
export type JsonText<T = unknown> = string & { readonly [jsonText]?: T };
type JsonColumn<T = Json> = ColumnType<T, JsonText<T>, JsonText<T>>;
type NullableJsonColumn<T = Json> = ColumnType<T | null, JsonText<T> | null | undefined, JsonText<T> | null>;

export function toJson<T>(value: T): JsonText<T> {
  return JSON.stringify(value);
}

/** One interface per table; the columns are explained in migrations/. Times are milliseconds since the epoch. */
export interface Database {
  site: SiteTable;
  site_link: SiteLinkTable;
  descriptor: DescriptorTable;
  service: ServiceTable;
  unit: UnitTable;
  operation: OperationTable;
  operation_step: OperationStepTable;
  chain_path: ChainPathTable;
  event: EventTable;
  characterisation: CharacterisationTable;
  account: AccountTable;
  session: SessionTable;
  secret: SecretTable;
  token: TokenTable;
  executor: ExecutorTable;
  workflow_signal: WorkflowSignalTable;
  workflow_run: WorkflowRunTable;
  workflow_step: WorkflowStepTable;
  scaling_policy: ScalingPolicyTable;
  scaling_decision: ScalingDecisionTable;
}

interface Dated {
  created_at: ColumnType<number, number, never>;
  updated_at: number;
}

export interface SiteTable extends Dated {
  name: string;
  id: string;
  kind: string;
  config: JsonColumn;
  declaration: NullableJsonColumn;
}

export interface SiteLinkTable extends Dated {
  a: string;
  b: string;
  path: JsonColumn;
}

export interface DescriptorTable extends Dated {
  id: string;
  name: string;
  version: string;
  onboarding_state: 'CREATED' | 'UPLOADING' | 'PROCESSING' | 'ONBOARDED' | 'ERROR';
  operational_state: 'ENABLED' | 'DISABLED';
  usage_state: 'IN_USE' | 'NOT_IN_USE';
  source: string;
  source_format: string;
  base_folder: string | null;
  /** Of a tree of files all of them, `DescriptorFiles`; null where `source` is the only one. */
  files: JsonColumn | null;
  service: JsonColumn;
}

export interface ServiceTable extends Dated {
  name: string;
  id: string;
  descriptor_id: string;
  state: string;
  desired: JsonColumn;
  generation: number;
  scaling_from: string | null;
}

export interface UnitTable extends Dated {
  id: string;
  service: string;
  path: string;
  index: number;
  site: string;
  host: string;
  state: string;
  ports: JsonColumn;
  pooled: boolean;
  telemetry: Generated<boolean>;
  details: ColumnType<Json, JsonText | undefined, JsonText>;
  ready_at: number | null;
}

export type OperationState =
  | 'STARTING'
  | 'PROCESSING'
  | 'COMPLETED'
  | 'FAILED_TEMP'
  | 'FAILED'
  | 'ROLLING_BACK'
  | 'ROLLED_BACK';

export interface OperationTable extends Dated {
  id: string;
  service: string;
  kind: string;
  state: OperationState;
  state_entered_at: number;
  automatic: boolean;
  params: JsonColumn;
  plan: NullableJsonColumn;
  error: NullableJsonColumn;
  cancel_mode: 'GRACEFUL' | 'FORCEFUL' | null;
  workflow_id: string | null;
  run: NullableJsonColumn;
  executor: string | null;
  trace_id: string | null;
  /** Report on the policies of the service, of what the sites had at the end. */
  realised: NullableJsonColumn;
}

export interface OperationStepTable {
  operation_id: string;
  step_id: string;
  state: string;
  attempt: number;
  error: NullableJsonColumn;
  output: NullableJsonColumn;
  started_at: number | null;
  ended_at: number | null;
}

export interface ChainPathTable extends Dated {
  service: string;
  chain: string;
  version: number;
  active: boolean;
  sites: JsonColumn;
}

export interface EventTable {
  id: GeneratedAlways<number>;
  at: number;
  kind: string;
  subject: string;
  body: JsonColumn;
}

export interface CharacterisationTable extends Dated {
  name: string;
  service: string;
  experiments: number;
  samples: number;
  accuracy: number;
  /** As packages/api describes it. */
  report: JsonColumn;
}

export interface AccountTable extends Dated {
  id: string;
  name: string;
  role: 'reader' | 'admin';
  /** As `hashPassword` of packages/access writes it. */
  password: string | null;
  disabled: Generated<boolean>;
  signed_in_at: number | null;
}

export interface SessionTable {
  id: string;
  account_id: string;
  hash: string;
  address: string;
  agent: string;
  created_at: number;
  expires_at: number;
}

export interface SecretTable extends Dated {
  name: string;
  kind: string;
  version: number;
  key_id: string;
  nonce: string;
  sealed: string;
  fingerprint: string;
  set_by: string;
}

export interface TokenTable {
  id: string;
  name: string;
  account_id: string;
  hash: string;
  role: string;
  created_at: number;
}

export interface ExecutorTable {
  id: string;
  epoch: number;
  expires_at: number;
  host: string;
  pid: number;
  version: string;
  taken_by: Generated<string | null>;
}

export interface WorkflowSignalTable {
  id: GeneratedAlways<number>;
  workflow_id: string;
  topic: string;
  value: JsonColumn;
  at: number;
  taken_by: Generated<string | null>;
}

export interface WorkflowRunTable extends Dated {
  id: string;
  name: string;
  input: JsonColumn;
  status: 'running' | 'succeeded' | 'failed' | 'cancelled';
  outcome: NullableJsonColumn;
  executor: string;
  version: string;
}

export interface WorkflowStepTable {
  workflow_id: string;
  name: string;
  result: JsonColumn;
}

export interface ScalingPolicyTable extends Dated {
  service: string;
  unit: string;
  policy: JsonColumn;
  origin: 'descriptor' | 'user';
  active: boolean;
  every_ms: number;
  decided_at: number;
}

export interface ScalingDecisionTable {
  id: GeneratedAlways<number>;
  at: number;
  service: string;
  unit: string;
  kind: string;
  outcome: 'scaling' | 'kept' | 'recommended' | 'refused' | 'no-data';
  replicas: number;
  decided: number;
  recommended: number | null;
  reasons: JsonColumn;
  metrics: JsonColumn;
  operation: string | null;
  executor: string;
}
