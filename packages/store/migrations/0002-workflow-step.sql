-- What the steps of a run gave, so that a run that goes on after a crash does not ask them again.
create table workflow_step (
  workflow_id text not null,
  name text not null,
  result jsonb not null,
  primary key (workflow_id, name)
);
