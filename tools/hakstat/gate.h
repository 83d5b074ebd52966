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
	char *where;  /* "--fail-on", or file and line; NULL: neither */
	bool is_must; /* of a budget: it must hold; else it must not */
	unsigned in;  /* the table, or HAKSTAT_IN_TOTALS */
	char *name;   /* of the class or route; NULL for totals */
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

/* What the user asked for. */
struct hakstat_gates {
	GPtrArray *fail_on; /* const char *: conditions; NULL: none */
	const char *budget; /* path of a file, one condition a line, # comments; NULL: none */
	bool allow_lost;    /* decide even if events were lost */
};

/* What became of one condition. */
struct hakstat_outcome {
	char *name;    /* the condition, or what else was checked */
	char *where;   /* NULL: of no file or option */
	char *why;     /* it failed, in words; NULL: it passed */
	bool is_given; /* a condition of the user's, not the demand that comes with them */
};

/* Frees what reading the options made. */
void hakstat_gates_clear(struct hakstat_gates *gates);

/*
 * Reads all conditions (struct hakstat_gate *); free with g_ptr_array_unref. NULL with `err` set when one
 * is none, or a budget holds none.
 */
GPtrArray *hakstat_gates_load(const struct hakstat_gates *gates, struct hakstat_err *err);

/*
 * What became of them (struct hakstat_outcome *), and of the demand that the traces be complete; free with
 * g_ptr_array_unref. `base` may be NULL. Empty without conditions.
 */
GPtrArray *hakstat_gates_judge(const GPtrArray *conditions, bool allow_lost,
			       const struct hakstat_report *report, const struct hakstat_report *base);

/* Says on stderr what failed. Returns 0, or HAKSTAT_GATE with `err` set. */
int hakstat_gates_say(const GPtrArray *outcomes, struct hakstat_err *err);

#endif
