-- When a unit scales by itself. Which server decides is settled by `decided_at`: whoever moves it on, decides.
create table scaling_policy (
  service text not null references service (name) on delete cascade,
  unit text not null,
  policy jsonb not null,
  origin text not null check (origin in ('descriptor', 'user')),
  active boolean not null,
  every_ms bigint not null,
  -- By the clock of the database.
  decided_at bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (service, unit)
);

-- The latest decisions of each unit; older ones are removed.
create table scaling_decision (
  id bigint generated always as identity primary key,
  at bigint not null,
  service text not null references service (name) on delete cascade,
  unit text not null,
  kind text not null,
  outcome text not null check (outcome in ('scaling', 'kept', 'recommended', 'refused', 'no-data')),
  replicas integer not null,
  decided integer not null,
  -- What the policy asked for, before windows, limits and cool-down. Null: it was not asked.
  recommended integer,
  reasons jsonb not null,
  metrics jsonb not null,
  operation text,
  executor text not null
);
create index scaling_decision_by_unit on scaling_decision (service, unit, id);
