// Package procedure is what to do in which emergency, step by step, as values.
//
// A [Runbook] is for one scenario (S44, S101): the signs by which one knows it, and
// the steps in the order of action. A step says what to do, where in a portal or
// with which command, what to expect, and what to do if that does not come. The
// texts are for somebody who has never done it, at three in the morning.
//
// The texts name nobody and no account: the binder that prints them says who and
// which. In commands, words in capitals stand for what is looked up there or chosen:
// ACCOUNT, POLICY and DEVICE are ids, KEY is a file.
//
// The package knows no secret, no clock and no tenant.
package procedure
