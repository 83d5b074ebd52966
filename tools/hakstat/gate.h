/* SPDX-License-Identifier: MIT */
/*
 * Conditions on reports, for CI: "class C7 waste_percent < 15", "total live_waste_bytes < +5%".
 * As a budget a condition must hold, as --fail-on it must not.
 */
#ifndef HAKSTAT_GATE_H
#define HAKSTAT_GATE_H

#include "columns.h"
#include "err.h"
#include "report.h"

enum hakstat_gate_kind {
	HAKSTAT_GATE_VALUE,	 /* 15, 4M: the column itself */
	HAKSTAT_GATE_DIFFERENCE, /* +4M, -10: new less base */
	HAKSTAT_GATE_RELATIVE,	 /* +5%: new less base, in percent of base */
};

enum hakstat_gate_result { HAKSTAT_GATE_FALSE, HAKSTAT_GATE_TRUE, HAKSTAT_GATE_UNKNOWN };

struct hakstat_gate {
	char *text;
	unsigned in; /* the table, or HAKSTAT_IN_TOTALS */
	char *name;  /* of the class or route; NULL for totals */
	const struct hakstat_column *column;
	char op[3];
	enum hakstat_gate_kind kind;
	double value;
};

/* Fills `gate`. HAKSTAT_USAGE with `err` set when the text is no condition. */
int hakstat_gate_parse(const char *text, struct hakstat_gate *gate, struct hakstat_err *err);
void hakstat_gate_clear(struct hakstat_gate *gate);

/*
 * Unknown when the report does not have the number. `base` may be NULL: conditions on differences
 * are unknown then. `found` receives the number that was compared.
 */
enum hakstat_gate_result hakstat_gate_check(const struct hakstat_gate *gate,
					    const struct hakstat_report *report,
					    const struct hakstat_report *base, double *found);

struct hakstat_gates {
	const char *fail_on; /* a condition; NULL: none */
	const char *budget;  /* path of a file, one condition a line, # comments; NULL: none */
	bool allow_lost;     /* decide even if events were lost */
};

/*
 * Checks all of it and says on stderr what failed. Returns 0, HAKSTAT_GATE with `err` set when one
 * failed or an incomplete trace leaves it open, HAKSTAT_USAGE when a condition can't be read.
 */
int hakstat_gates_check(const struct hakstat_gates *gates, const struct hakstat_report *report,
			const struct hakstat_report *base, struct hakstat_err *err);

#endif
