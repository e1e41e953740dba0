/* SPDX-License-Identifier: MIT */
/*
 * vm_events.h - what happens to the machine, told to whoever listens: clients
 * of the control socket, the file of --events.
 *
 * Events come from any thread and are heard on the main one, in the order in
 * which they happened.
 */
#ifndef VM_VM_EVENTS_H
#define VM_VM_EVENTS_H

struct event;
struct vm_events;

struct vm_events *vm_events_new(void);

/** vm_events_free() - nobody may tell it anything any more */
void vm_events_free(struct vm_events *events);

/**
 * vm_events_listen() - have @heard called for each event.  Main thread
 * @line: report/event.h's; borrowed for the call
 *
 * Listeners stay as long as the events.
 */
void vm_events_listen(struct vm_events *events,
		      void (*heard)(void *ctx, const char *line), void *ctx);

/**
 * vm_events_tell() - it has happened.  Any thread
 * @event: taken
 *
 * Many that nobody takes are lost, and counted in an event of their own.
 */
void vm_events_tell(struct vm_events *events, struct event *event);

/** vm_events_flush() - all that were told are heard.  Main thread */
void vm_events_flush(struct vm_events *events);

#endif
