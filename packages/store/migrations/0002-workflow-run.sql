-- Runs of workflows. A run belongs to the executor that is named, while that one has its lease.
create table workflow_run (
  id text primary key,
  name text not null,
  input jsonb not null,
  status text not null check (status in ('running', 'succeeded', 'failed', 'cancelled')),
  outcome jsonb,
  executor text not null,
  -- Servers of another version of the workflows' code leave it alone.
  version text not null,
  created_at bigint not null,
  updated_at bigint not null
);
create index workflow_run_open on workflow_run (executor) where status = 'running';

-- What the steps of a run gave, so that a run that goes on after a crash does not ask them again.
create table workflow_step (
  workflow_id text not null,
  name text not null,
  result jsonb not null,
  primary key (workflow_id, name)
);
