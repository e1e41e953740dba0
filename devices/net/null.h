/* SPDX-License-Identifier: MIT */
/*
 * null.h - a card whose cable goes nowhere: there is no carrier.
 */
#ifndef DEVICES_NET_NULL_H
#define DEVICES_NET_NULL_H

#include "devices/net/net.h"

/**
 * net_null_new() - Return: owned
 * @queues: as many as anybody may want
 */
struct net *net_null_new(unsigned int queues);

#endif
