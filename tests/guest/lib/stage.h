/* SPDX-License-Identifier: MIT */
/*
 * stage.h - tests that go on after a reset: how often the machine was reset
 * is kept in CMOS memory.
 */
#ifndef LIB_STAGE_H
#define LIB_STAGE_H

/** stage_enter() - which start this is, from 0 on; once per start, 15 at most */
unsigned int stage_enter(void);

/** stage_end() - the next start is the first again */
void stage_end(void);

/** stage_reset() - reset the machine */
void stage_reset(void) __attribute__((noreturn));

#endif
