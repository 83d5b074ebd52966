/* SPDX-License-Identifier: MIT */
/*
 * The empty page of an HTML report. Where @title@, @summary@ and @data@ stand, in this order and
 * once each, a report puts its own.
 */
#ifndef HAKSTAT_HTML_PAGE_H
#define HAKSTAT_HTML_PAGE_H

extern const char hakstat_html_page[] __attribute__((visibility("hidden")));

#endif
