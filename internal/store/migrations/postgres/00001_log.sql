-- +goose Up
create table store (
  one        integer primary key check (one = 1),
  id         text    not null,
  created    bigint  not null,            -- milliseconds since 1970, by the clock of the machine
  fence      bigint  not null,            -- raised by each new owner
  owner      text    not null,            -- JSON: who owns it; for people, decides nothing
  generation bigint  not null,            -- raised by the first append after a restore
  restored   text    not null,            -- JSON: a restore that no entry has recorded yet
  witness    text    not null             -- the witness place that knows this log
);

create table entries (
  "index" bigint primary key,
  kind    text   not null,
  subject text   not null,
  line    bytea  not null,
  leaf    bytea  not null
);
create index entries_kind_subject on entries (kind, subject, "index");

create table head (
  one  integer primary key check (one = 1),
  size bigint not null,
  tree bytea  not null,
  note bytea  not null
);

create table checkpoints (
  size  bigint primary key,
  note  bytea not null,
  given text  not null
);

-- +goose StatementBegin
create function halligan_refuse() returns trigger language plpgsql as $$
begin raise exception '%', tg_argv[0]; end $$;
-- +goose StatementEnd
-- +goose StatementBegin
create function halligan_no_gap() returns trigger language plpgsql as $$
begin
  if new."index" <> (select coalesce(max("index") + 1, 0) from entries) then
    raise exception 'entries have no gap';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger entries_no_gap before insert on entries for each row execute function halligan_no_gap();
create trigger entries_no_update before update on entries for each row execute function halligan_refuse('entries are only appended');
create trigger entries_no_delete before delete on entries for each row execute function halligan_refuse('entries are only appended');
create trigger entries_no_truncate before truncate on entries for each statement execute function halligan_refuse('entries are only appended');
create trigger head_grows before update on head for each row when (new.size < old.size) execute function halligan_refuse('the head only grows');
create trigger head_stays before delete on head for each row execute function halligan_refuse('the head only grows');
create trigger head_no_truncate before truncate on head for each statement execute function halligan_refuse('the head only grows');
create trigger checkpoints_no_update before update on checkpoints for each row when (new.note <> old.note or new.size <> old.size) execute function halligan_refuse('checkpoints are only appended');
create trigger checkpoints_no_delete before delete on checkpoints for each row execute function halligan_refuse('checkpoints are only appended');
create trigger checkpoints_no_truncate before truncate on checkpoints for each statement execute function halligan_refuse('checkpoints are only appended');
