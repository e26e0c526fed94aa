-- Reports of characterisations, as they were published. What lists show and sort by stands beside the whole of it.
create table characterisation (
  name text primary key,
  service text not null,
  experiments integer not null,
  samples integer not null,
  accuracy double precision not null,
  report jsonb not null,
  created_at bigint not null,
  updated_at bigint not null
);
create index characterisation_by_time on characterisation (updated_at, name);
