-- Times are milliseconds since the epoch. What the program reads as one value is jsonb; what it searches by is a column.

create table site (
  name text primary key,
  -- What drivers derive names on the machine from: two control planes may have sites of one name.
  id text not null unique,
  kind text not null,
  config jsonb not null,
  declaration jsonb,
  created_at bigint not null,
  updated_at bigint not null
);

create table site_link (
  a text not null references site (name) on delete cascade,
  b text not null references site (name) on delete cascade,
  path jsonb not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (a, b)
);

-- The three states are those of an NSD or VNFD in ETSI GS NFV-SOL 005, clauses 5.5.4.3 and 9.5.4.
create table descriptor (
  id text primary key,
  name text not null,
  version text not null,
  onboarding_state text not null check (onboarding_state in ('CREATED', 'UPLOADING', 'PROCESSING', 'ONBOARDED', 'ERROR')),
  operational_state text not null check (operational_state in ('ENABLED', 'DISABLED')),
  usage_state text not null check (usage_state in ('IN_USE', 'NOT_IN_USE')),
  source text not null,
  source_format text not null,
  base_folder text,
  service jsonb not null,
  created_at bigint not null,
  updated_at bigint not null,
  unique (name, version)
);

create table service (
  name text primary key,
  id text not null unique,
  descriptor_id text not null references descriptor (id),
  state text not null,
  desired jsonb not null,
  generation bigint not null,
  created_at bigint not null,
  updated_at bigint not null
);
create index service_by_descriptor on service (descriptor_id);

create table unit (
  id text primary key,
  service text not null references service (name) on delete cascade,
  path text not null,
  index integer not null,
  site text not null,
  host text not null,
  state text not null,
  ports jsonb not null,
  pooled boolean not null,
  -- Its output carries samples: the few of which the output is read all the time.
  telemetry boolean not null default false,
  details jsonb not null default '{}',
  created_at bigint not null,
  updated_at bigint not null,
  ready_at bigint
);
create index unit_by_service on unit (service, path, index);
create index unit_by_site on unit (site, host);
create index unit_telemetry on unit (id) where telemetry;

-- States and cancel modes are those of an LCM operation occurrence in ETSI GS NFV-SOL 003, clause 5.5.2.13.
create table operation (
  id text primary key,
  service text not null,
  kind text not null,
  state text not null check (state in
    ('STARTING', 'PROCESSING', 'COMPLETED', 'FAILED_TEMP', 'FAILED', 'ROLLING_BACK', 'ROLLED_BACK')),
  state_entered_at bigint not null,
  -- Started by reconciliation, not by a user.
  automatic boolean not null,
  params jsonb not null,
  plan jsonb,
  error jsonb,
  cancel_mode text check (cancel_mode in ('GRACEFUL', 'FORCEFUL')),
  -- The run over the plan that is under way, or was last: its id in the engine and its input.
  workflow_id text,
  run jsonb,
  executor text,
  trace_id text,
  created_at bigint not null,
  updated_at bigint not null
);
create index operation_by_service on operation (service, created_at);
-- One operation at a time for a service: whoever comes second, on whichever server, is refused.
create unique index operation_active on operation (service)
  where state in ('STARTING', 'PROCESSING', 'FAILED_TEMP', 'ROLLING_BACK');

create table operation_step (
  operation_id text not null references operation (id) on delete cascade,
  step_id text not null,
  state text not null,
  attempt integer not null,
  error jsonb,
  output jsonb,
  started_at bigint,
  ended_at bigint,
  primary key (operation_id, step_id)
);

create table chain_path (
  service text not null,
  chain text not null,
  version bigint not null,
  active boolean not null,
  sites jsonb not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (service, chain, version)
);
create unique index chain_path_active on chain_path (service, chain) where active;

create table event (
  id bigint generated always as identity primary key,
  at bigint not null,
  kind text not null,
  subject text not null,
  body jsonb not null
);
create index event_by_subject on event (subject, id);

create table token (
  id text primary key,
  name text not null unique,
  hash text not null unique,
  role text not null,
  created_at bigint not null
);

-- A server's lease. `epoch` comes from `fence`, so that of two claims the later one has the greater number.
create table executor (
  id text primary key,
  epoch bigint not null,
  expires_at bigint not null,
  host text not null,
  pid integer not null,
  version text not null,
  -- The server that is taking this dead one's work over at the moment.
  taken_by text
);

create sequence fence as bigint;

-- What was sent to a workflow: values for a topic, and the request to cancel.
create table workflow_signal (
  id bigint generated always as identity primary key,
  workflow_id text not null,
  topic text not null,
  value jsonb not null,
  at bigint not null,
  -- The key of the step that received it: the step that runs again finds the same value.
  taken_by text
);
create index workflow_signal_by_workflow on workflow_signal (workflow_id, topic, id);
