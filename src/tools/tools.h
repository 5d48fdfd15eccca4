/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other programs that this one is. Each is called with its own arguments, and returns its exit status. */
#ifndef PORTPUB_TOOLS_H
#define PORTPUB_TOOLS_H

int tool_docker_proxy(int argc, char **argv);

/* The CNI plugin, when CNI_COMMAND is set; and what the plugin says of itself when it is not. */
int tool_cni(void);
int tool_cni_about(void);

#endif
