-- Values that are only ever given to sites, sealed by AES-256-GCM with a key that is not in this database.
create table secret (
  name text primary key,
  kind text not null,
  -- Counts what was set under the name. With name and kind it is authenticated: no row can take the place of another.
  version bigint not null,
  key_id text not null,
  nonce text not null,
  sealed text not null,
  -- Keyed: equal values have equal ones, and nobody can try values without the key.
  fingerprint text not null,
  set_by text not null,
  created_at bigint not null,
  updated_at bigint not null
);
