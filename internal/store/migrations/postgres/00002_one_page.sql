-- +goose Up
-- An append writes the entry with the checkpoint over it. The head and what
-- entries are found by follow some entries behind.
alter table entries add column note bytea; -- the checkpoint over all entries up to this one; null within a transaction

create table found (
  kind    text   not null,
  subject text   not null,
  "index" bigint not null,
  primary key (kind, subject, "index")
);
insert into found (kind, subject, "index") select kind, subject, "index" from entries where "index" < (select size from head);
drop index entries_kind_subject;

create trigger found_no_update before update on found for each row execute function halligan_refuse('entries are only appended');
create trigger found_no_delete before delete on found for each row execute function halligan_refuse('entries are only appended');
create trigger found_no_truncate before truncate on found for each statement execute function halligan_refuse('entries are only appended');
