-- +goose Up
create table store (
  one        integer primary key check (one = 1),
  id         text    not null,
  created    integer not null,            -- milliseconds since 1970, by the clock of the machine
  fence      integer not null,            -- raised by each new owner
  owner      text    not null,            -- JSON: who owns it; for people, decides nothing
  generation integer not null,            -- raised by the first append after a restore
  restored   text    not null,            -- JSON: a restore that no entry has recorded yet
  witness    text    not null             -- the witness place that knows this log
);

create table entries (
  "index" integer primary key,
  kind    text not null,
  subject text not null,
  line    blob not null,
  leaf    blob not null
);
create index entries_kind_subject on entries (kind, subject);

create table head (
  one  integer primary key check (one = 1),
  size integer not null,
  tree blob    not null,
  note blob    not null
);

create table checkpoints (
  size  integer primary key,
  note  blob not null,
  given text not null
);

-- +goose StatementBegin
create trigger entries_no_gap before insert on entries
when new."index" <> (select coalesce(max("index") + 1, 0) from entries)
begin select raise(abort, 'entries have no gap'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger entries_no_update before update on entries
begin select raise(abort, 'entries are only appended'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger entries_no_delete before delete on entries
begin select raise(abort, 'entries are only appended'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger head_grows before update on head when new.size < old.size
begin select raise(abort, 'the head only grows'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger head_stays before delete on head
begin select raise(abort, 'the head only grows'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger checkpoints_no_update before update on checkpoints when new.note <> old.note or new.size <> old.size
begin select raise(abort, 'checkpoints are only appended'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger checkpoints_no_delete before delete on checkpoints
begin select raise(abort, 'checkpoints are only appended'); end;
-- +goose StatementEnd

pragma application_id = 1212238924;
