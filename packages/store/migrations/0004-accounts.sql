-- Whoever may use the control plane. The first one is there from the beginning, without a password until it is given one.
create table account (
  id text primary key,
  name text not null unique,
  role text not null check (role in ('reader', 'admin')),
  -- scrypt, with its parameters and its salt; null: nobody signs in with this name.
  password text,
  disabled boolean not null default false,
  signed_in_at bigint,
  created_at bigint not null,
  updated_at bigint not null
);
insert into account (id, name, role, created_at, updated_at)
  values ('usr-000000000000000000', 'admin', 'admin',
    (extract(epoch from now()) * 1000)::bigint, (extract(epoch from now()) * 1000)::bigint);

-- Tokens that were made before there were users are the first one's.
alter table token add column account_id text not null default 'usr-000000000000000000'
  references account (id) on delete cascade;
alter table token alter column account_id drop default;
create index token_by_account on token (account_id);

-- A browser in which somebody has signed in. Of its secret the hash alone is here.
create table session (
  id text primary key,
  account_id text not null references account (id) on delete cascade,
  hash text not null unique,
  address text not null,
  agent text not null,
  created_at bigint not null,
  expires_at bigint not null
);
create index session_by_account on session (account_id, created_at);
