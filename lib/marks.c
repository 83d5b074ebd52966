/* SPDX-License-Identifier: MIT */
/* The secret behind the marks. */
#include "marks.h"

#include "os.h"

struct hak_secret hak_secret HAK_ALIGNED(HAK_CACHE_LINE);

void hak_marks_init(void)
{
	hak_secret.factor = hak_os_random() | 1;
	hak_secret.key = hak_os_random();
}
