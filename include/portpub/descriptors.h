/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTPUB_DESCRIPTORS_H
#define PORTPUB_DESCRIPTORS_H

/*
 * Let this process have as many descriptors as it may: the limit that is inherited may be meant for select().
 * Returns how many that are.
 */
unsigned long long pp_descriptors_raise(void);

#endif
