/* SPDX-License-Identifier: MIT */
/*
 * The page of html/, with the plotting library in it, as the build put it together: part of the
 * program, so that a report needs no other file.
 */
#include "html_page.h"

__asm__(".section .rodata\n"
	".global hakstat_html_page\n"
	".hidden hakstat_html_page\n"
	".type hakstat_html_page, %object\n"
	"hakstat_html_page:\n"
	".incbin \"" HAKSTAT_HTML_PAGE "\"\n"
	".byte 0\n"
	".size hakstat_html_page, . - hakstat_html_page\n"
	".previous\n");
