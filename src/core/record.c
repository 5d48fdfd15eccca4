/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/record.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32 that are not mistaken for others */

void pp_record_fini(struct pp_record *record)
{
	pp_request_fini(&record->request);
	*record = (struct pp_record){ 0 };
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
