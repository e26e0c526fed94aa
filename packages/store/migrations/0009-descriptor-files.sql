-- Descriptors that are trees of files: all of them, the first being that of `source`. Null where there is one file.
alter table descriptor add column files jsonb;
