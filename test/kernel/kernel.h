/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The suites that talk to the kernel, and a few words they share. */
#ifndef PORTPUB_TEST_KERNEL_H
#define PORTPUB_TEST_KERNEL_H

#include <check.h>

Suite *suite_anchor(void);
Suite *suite_bridge(void);
Suite *suite_conntrack(void);
Suite *suite_generation(void);
Suite *suite_nft(void);
Suite *suite_sandbox(void);
Suite *suite_sysctl(void);

/* A network namespace with nothing in it but lo, which is up. For tcase_add_checked_fixture. */
void kernel_new_host(void);

/* Run a shell command, which must succeed. */
__attribute__((format(printf, 1, 2))) void kernel_sh(const char *format, ...);

#define KERNEL_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
