/* SPDX-License-Identifier: MIT */
/*
 * fault.h - messages of integration components that are lost, twice or
 * wrong when fault rules want it (base/fault.h).
 */
#ifndef VSP_IC_FAULT_H
#define VSP_IC_FAULT_H

#include <stdint.h>

struct channel;

/**
 * ic_fault_send() - channel_send_pipe(), if nothing goes wrong
 * @message: struct icmsg_hdr and the body; may be changed
 *
 * Return: as that; 0 for one that is lost.
 */
int ic_fault_send(struct channel *ch, uint8_t *message, uint32_t bytes);

#endif
