/* SPDX-License-Identifier: MIT */
/*
 * doctor.h - `kvmbus doctor`: can this host run it, and how well?
 */
#ifndef VM_DOCTOR_H
#define VM_DOCTOR_H

#include <stdio.h>

/**
 * doctor_run() - look at the host and say what was found, a line each
 *
 * Return: 0 when a Linux guest can run here, else EXIT_HOST.
 */
int doctor_run(FILE *out);

#endif
