/* SPDX-License-Identifier: MIT */
/*
 * names.h - names of the numbers of include/proto that no table of ours
 * dispatches on; what has a row somewhere is called as that row is.
 *
 * Each is NULL for a number without a name; borrowed for ever.
 */
#ifndef TRACE_NAMES_H
#define TRACE_NAMES_H

#include <stdint.h>

const char *name_of_msr(uint32_t msr);
const char *name_of_hypercall(uint16_t code);
const char *name_of_hv_status(uint32_t status);
const char *name_of_sint_message(uint32_t type);
const char *name_of_channel_message(uint32_t type);
const char *name_of_vstor_operation(uint32_t operation);
const char *name_of_nt_status(uint32_t status);
const char *name_of_srb_status(uint8_t status);
const char *name_of_scsi_status(uint8_t status);
const char *name_of_nvsp_message(uint32_t type);
const char *name_of_nvsp_status(uint32_t status);
const char *name_of_rndis_message(uint32_t type);
const char *name_of_rndis_status(uint32_t status);
const char *name_of_ic_message(uint16_t type);
const char *name_of_ic_status(uint32_t status);

/** name_of_class() - "HV_SCSI" for the class of an offer */
struct guid;
const char *name_of_class(const struct guid *if_type);

#endif
