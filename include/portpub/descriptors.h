/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTPUB_DESCRIPTORS_H
#define PORTPUB_DESCRIPTORS_H

/*
 * Let this process have as many descriptors as it may: the limit that is inherited may be meant for select().
 * Returns how many that are.
 */
unsigned long long pp_descriptors_raise(void);

/* Leave that many of them for when they are needed, which is until pp_descriptors_raise. */
void pp_descriptors_spare(unsigned int count);

#endif
