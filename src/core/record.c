/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32 that are not mistaken for others */

void pp_record_fini(struct pp_record *record)
{
	pp_request_fini(&record->request);
	free(record->netns);
	pp_attachment_free(record->attachment);
	*record = (struct pp_record){ 0 };
}

const char *pp_record_container(const struct pp_record *record)
{
	return record->attachment ? record->attachment->container : record->container;
}

int pp_record_copy(const struct pp_record *from, struct pp_record *to, struct pp_error *err)
{
	struct pp_record copy = *from;
	int ret = 0;

	copy.request.publications = PP_PUBLICATIONS_INIT;
	copy.request.allow = PP_NETWORKS_INIT;
	copy.netns = from->netns ? strdup(from->netns) : NULL;
	copy.attachment = from->attachment ? pp_attachment_copy(from->attachment) : NULL;
	if ((from->netns && !copy.netns) || (from->attachment && !copy.attachment))
		ret = pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; ret == 0 && i < from->request.publications.count; i++)
		ret = pp_publications_append(&copy.request.publications, &from->request.publications.items[i],
					     err);
	for (size_t i = 0; ret == 0 && i < from->request.allow.count; i++)
		ret = pp_networks_append(&copy.request.allow, &from->request.allow.items[i], err);
	if (ret < 0)
		pp_record_fini(&copy);
	else
		*to = copy;
	return ret;
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int pp_id_check(const char *text, struct pp_error *err)
{
	size_t len = strlen(text);
	struct pp_piece piece = { text, len, 0, len };

	if (len == 0)
		return pp_fail(err, EINVAL, "an id has at least one letter or digit");
	if (len >= PP_ID_SIZE)
		return pp_fail_at(err, piece, "an id has at most %d characters", PP_ID_SIZE - 1);
	for (size_t i = 0; i < len; i++) {
		piece.at = i;
		piece.len = 1;
		if (i == 0 && !is_alphanumeric(text[i]))
			return pp_fail_at(err, piece, "an id begins with a letter or a digit");
		if (!is_alphanumeric(text[i]) && !strchr("._-", text[i]))
			return pp_fail_at(err, piece, "an id is made of letters, digits, '.', '_' and '-'");
	}
	return 0;
}

int pp_id_make(char out[static PP_ID_SIZE], struct pp_error *err)
{
	unsigned char bytes[8];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return pp_fail(err, errno, "no random numbers: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(bytes); i++)
		out[i] = alphabet[bytes[i] % (sizeof(alphabet) - 1)];
	out[0] = alphabet[bytes[0] % 24]; /* a letter: a name, and no port */
	out[sizeof(bytes)] = '\0';
	return 0;
}
