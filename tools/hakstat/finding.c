/* SPDX-License-Identifier: MIT */
#include "finding.h"

#include <inttypes.h>
#include <stdarg.h>

#include "columns.h"
#include "number.h"
#include "text.h"

enum { WORTH_PERCENT = 1 }; /* of usable bytes */

const struct hakstat_saving hakstat_no_saving = { 0 };

struct hakstat_finding *hakstat_finding_add(struct hakstat_report *r, const char *kind, uint64_t waste,
					    const char *format, ...)
{
	struct hakstat_finding *finding = g_new0(struct hakstat_finding, 1);
	va_list args;

	va_start(args, format);
	finding->message = g_strdup_vprintf(format, args);
	va_end(args);
	finding->kind = kind;
	finding->waste_bytes = waste;
	g_ptr_array_add(r->findings, finding);
	return finding;
}

char *hakstat_finding_amount(uint64_t bytes, double variance)
{
	struct hakstat_value half = hakstat_interval(variance);
	char amount[32], width[32] = "?";

	hakstat_text_bytes(amount, sizeof amount, bytes);
	if (half.is_known) {
		hakstat_text_bytes(width, sizeof width, half.number);
	}
	return half.is_known && half.number == 0 ? g_strdup(amount)
						 : g_strdup_printf("%s ±%s", amount, width);
}

static void put_amount(GString *text, const char *before, uint64_t bytes, double variance, const char *behind)
{
	g_autofree char *amount = hakstat_finding_amount(bytes, variance);

	g_string_append_printf(text, "%s%s%s", before, amount, behind);
}

void hakstat_finding_advise(struct hakstat_finding *finding, struct hakstat_saving saving, const char *format,
			    ...)
{
	GString *text = g_string_new(NULL);
	va_list args;

	va_start(args, format);
	g_string_append_vprintf(text, format, args);
	va_end(args);
	finding->saving_bytes = saving.all;
	finding->peak_saving_bytes = saving.peak;
	finding->saving_variance = saving.all_variance;
	finding->peak_saving_variance = saving.peak_variance;
	if (saving.all) {
		put_amount(text, ", which saves ", saving.all, saving.all_variance, " of blocks");
	}
	if (saving.peak) {
		put_amount(text, saving.all ? ", and " : ", which saves ", saving.peak, saving.peak_variance,
			   " at the peak");
	}
	finding->advice = g_string_free(text, FALSE);
}

bool hakstat_finding_is_worth(const struct hakstat_report *r, uint64_t waste)
{
	return hakstat_percent(waste, r->totals.n.usable_bytes) >= WORTH_PERCENT;
}

const char *hakstat_finding_range(char *out, size_t size, uint64_t min, uint64_t max)
{
	if (min == max) {
		g_snprintf(out, size, "%" PRIu64 "-byte", min);
	} else {
		g_snprintf(out, size, "%" PRIu64 "...%" PRIu64 "-byte", min, max);
	}
	return out;
}
