/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "name.h"

#include "portpub/spec.h"

#include <stdio.h>
#include <string.h>

enum { ANY_PORT = 0, SPEC_SIZE = PP_ERROR_INPUT_MAX + 1 };

/* As the spec that has its ports for those of the container, too, which then may be any. */
static bool parse_host_port(const char *text, struct pp_publication *out)
{
	const char *slash = strrchr(text, '/');
	const char *end = slash ? slash : text + strlen(text), *ports = end;
	char spec[SPEC_SIZE];
	struct pp_error ignored;
	int len;

	while (ports > text && ports[-1] != ':')
		ports--;
	if (ports == text + 1) /* ":80" is a free port, not every address */
		return false;
	len = snprintf(spec, sizeof(spec), "%.*s:%s", (int)(end - text), text, ports);
	if (len >= SPEC_SIZE || pp_spec_parse(spec, (size_t)len, PP_SPEC_SHORT, out, &ignored) < 0)
		return false;
	out->container_port = ANY_PORT;
	return true;
}

int name_parse(const char *name, struct pp_publication *out, struct pp_error *err)
{
	struct pp_publication other;
	int ret = pp_spec_parse(name, strlen(name), PP_SPEC_ALL, out, err);

	if ((ret == 0 && !pp_publication_is_free(out)) || !parse_host_port(name, &other))
		return ret;
	*out = other;
	return 0;
}

bool name_means(const struct pp_publication *named, const struct pp_publication *publication)
{
	return publication->protocol == named->protocol &&
	       pp_address_compare(&publication->address, &named->address) == 0 &&
	       publication->host_port == named->host_port && publication->count == named->count &&
	       (publication->container_port == named->container_port || named->container_port == ANY_PORT);
}
