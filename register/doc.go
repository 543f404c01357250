// Package register is halligan.yaml as values: which accounts are the emergency
// accounts of a tenant (S3), what is intended for them, who holds what where, and
// what people stated, attested or accepted.
//
// A Register is only data. It is decoded strictly: an unknown key, a wrong type,
// an id given twice or a date that is none is an Error with line, column and,
// where something near is known, what was probably meant. It holds no secrets,
// and a value that looks like one is refused.
//
// A part of it decides: who may do what with which key, how many must agree, who
// is told, what is watched. Deciding returns that part in one form, and its
// digest, which is approved; FromDeciding reads it back.
//
// Ids are object ids and compare without case. Days are written 2027-02-01 and
// mean the day in UTC; a statement "until" a day holds through that day.
package register
