/* SPDX-License-Identifier: MIT */
/*
 * Conditions: reading, checking, reporting.
 */
#include "gate.h"

#include <string.h>

#include "hakmem_size_class.h"
#include "text.h"

static int bad(const char *text, const char *why, struct hakstat_err *err)
{
	return hakstat_err_set(
		err, HAKSTAT_USAGE,
		"condition '%s': %s; such as 'class C7 waste_percent > 15' or 'total live_waste_bytes > 4M'",
		text, why);
}

static bool is_operator(const char *word)
{
	static const char *const operators[] = { "<", "<=", ">", ">=", "==", "!=" };

	for (size_t i = 0; i < G_N_ELEMENTS(operators); i++) {
		if (strcmp(word, operators[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* "15", "15.5", "4M", "+5%", "-1K" */
static int parse_value(const char *word, struct hakstat_gate *gate)
{
	bool is_signed = word[0] == '+' || word[0] == '-';
	const char *digits = word + is_signed;
	size_t length = strlen(digits);
	bool is_percent = length && digits[length - 1] == '%';
	uint64_t bytes;
	char *end;

	if (!g_ascii_isdigit(digits[0])) {
		return -1;
	}
	gate->value = g_ascii_strtod(digits, &end);
	if (*end && !(is_percent && end == digits + length - 1)) {
		if (hakstat_text_parse_bytes(digits, &bytes) != 0) {
			return -1;
		}
		gate->value = (double)bytes;
	}
	gate->value *= word[0] == '-' ? -1 : 1;
	gate->kind = !is_signed	  ? HAKSTAT_GATE_VALUE
		     : is_percent ? HAKSTAT_GATE_RELATIVE
				  : HAKSTAT_GATE_DIFFERENCE;
	return 0;
}

/* The words of a condition without empty ones; free with g_strfreev. */
static char **split(const char *text, guint *count)
{
	char **raw = g_strsplit_set(text, " \t\r\n", -1);
	GPtrArray *words = g_ptr_array_new();

	for (char **p = raw; *p; p++) {
		if (**p) {
			g_ptr_array_add(words, g_strdup(*p));
		}
	}
	*count = words->len;
	g_ptr_array_add(words, NULL);
	g_strfreev(raw);
	return (char **)g_ptr_array_free(words, FALSE);
}

static int parse_words(const char *text, char **words, guint count, struct hakstat_gate *gate,
		       struct hakstat_err *err)
{
	guint at = 1;

	if (count && strcmp(words[0], "total") == 0) {
		gate->in = HAKSTAT_IN_TOTALS;
	} else if (count > 1 && (strcmp(words[0], "class") == 0 || strcmp(words[0], "route") == 0)) {
		gate->in = words[0][0] == 'c' ? 1u << HAKSTAT_BY_CLASS : 1u << HAKSTAT_BY_ROUTE;
		gate->name = g_strdup(words[1]);
		at = 2;
	} else {
		return bad(text, "it must begin with total, class NAME or route NAME", err);
	}
	if (count != at + 3) {
		return bad(text, "a column, an operator and a number must follow", err);
	}
	gate->column = hakstat_column_find(gate->in, words[at]);
	if (!gate->column || gate->column->unit == HAKSTAT_UNIT_TEXT) {
		return bad(text, "there is no such number in that row", err);
	}
	if (!is_operator(words[at + 1])) {
		return bad(text, "the operator is none of < <= > >= == !=", err);
	}
	g_strlcpy(gate->op, words[at + 1], sizeof gate->op);
	return parse_value(words[at + 2], gate) == 0 ? 0 : bad(text, "the last word is no number", err);
}

int hakstat_gate_parse(const char *text, struct hakstat_gate *gate, struct hakstat_err *err)
{
	guint count;
	char **words = split(text, &count);
	int status;

	memset(gate, 0, sizeof *gate);
	gate->text = g_strjoinv(" ", words);
	status = parse_words(gate->text, words, count, gate, err);
	g_strfreev(words);
	if (status != 0) {
		hakstat_gate_clear(gate);
	}
	return status;
}

void hakstat_gate_clear(struct hakstat_gate *gate)
{
	g_free(gate->text);
	g_free(gate->name);
	memset(gate, 0, sizeof *gate);
}

/* Rows of one name are added: a route has a row for each reason. False when there is none. */
static bool find_row(const struct hakstat_gate *gate, const struct hakstat_report *report,
		     struct hakstat_row *sum)
{
	enum hakstat_table_id table =
		gate->in == 1u << HAKSTAT_BY_CLASS ? HAKSTAT_BY_CLASS : HAKSTAT_BY_ROUTE;
	bool found = false;

	if (gate->in == HAKSTAT_IN_TOTALS) {
		*sum = report->totals;
		return true;
	}
	memset(sum, 0, sizeof *sum);
	for (guint i = 0; i < report->tables[table]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(report->tables[table], i);
		const char *name = table == HAKSTAT_BY_CLASS ? row->class_name : hak_route_label(row->route);
		if (g_strcmp0(name, gate->name) == 0) {
			sum->block = row->block;
			hakstat_counts_add(&sum->n, &row->n);
			found = true;
		}
	}
	return found;
}

static bool find_value(const struct hakstat_gate *gate, const struct hakstat_report *report, double *value)
{
	struct hakstat_row row;
	struct hakstat_value v;

	if (!report || !find_row(gate, report, &row)) {
		return false;
	}
	v = gate->column->get(&row);
	*value = gate->column->unit == HAKSTAT_UNIT_PERCENT ? v.real : (double)v.number;
	return v.is_known;
}

static bool compare(const char *op, double a, double b)
{
	bool is_equal = !(a < b) && !(a > b);

	switch (op[0]) {
	case '<':
		return a < b || (op[1] && is_equal);
	case '>':
		return a > b || (op[1] && is_equal);
	case '=':
		return is_equal;
	default:
		return !is_equal;
	}
}

enum hakstat_gate_result hakstat_gate_check(const struct hakstat_gate *gate,
					    const struct hakstat_report *report,
					    const struct hakstat_report *base, double *found)
{
	double before;

	*found = 0;
	if (!find_value(gate, report, found)) {
		return HAKSTAT_GATE_UNKNOWN;
	}
	if (gate->kind != HAKSTAT_GATE_VALUE) {
		if (!find_value(gate, base, &before)) {
			return HAKSTAT_GATE_UNKNOWN;
		}
		*found -= before;
	}
	if (gate->kind == HAKSTAT_GATE_RELATIVE) {
		if (before <= 0) { /* from nothing: any growth is more than any percentage */
			*found = *found > 0 ? G_MAXDOUBLE : 0;
		} else {
			*found = 100 * *found / before;
		}
	}
	return compare(gate->op, *found, gate->value) ? HAKSTAT_GATE_TRUE : HAKSTAT_GATE_FALSE;
}

/* One condition; `wanted` is what it must come to. Returns 1 when it failed. */
static int check_one(const char *text, enum hakstat_gate_result wanted, const struct hakstat_report *report,
		     const struct hakstat_report *base, struct hakstat_err *err)
{
	struct hakstat_gate gate;
	enum hakstat_gate_result result;
	double found;
	int status = hakstat_gate_parse(text, &gate, err);

	if (status != 0) {
		return status;
	}
	result = hakstat_gate_check(&gate, report, base, &found);
	if (result == HAKSTAT_GATE_UNKNOWN) {
		hakstat_say("gate: %s: cannot be decided: the report does not have this number%s", gate.text,
			    !base && gate.kind != HAKSTAT_GATE_VALUE
				    ? "; 'hakstat diff' has a base to compare with"
				    : "");
		status = HAKSTAT_GATE;
	} else if (result != wanted) {
		hakstat_say("gate: %s: %s; it is %.10g", gate.text,
			    wanted == HAKSTAT_GATE_TRUE ? "does not hold" : "holds, and must not", found);
		status = HAKSTAT_GATE;
	}
	hakstat_gate_clear(&gate);
	return status;
}

static int check_budget(const char *path, const struct hakstat_report *report,
			const struct hakstat_report *base, struct hakstat_err *err)
{
	GError *error = NULL;
	gchar *text;
	char **lines;
	int status = 0;

	if (!g_file_get_contents(path, &text, NULL, &error)) {
		hakstat_err_set(err, HAKSTAT_USAGE, "budget: %s", error->message);
		g_error_free(error);
		return err->status;
	}
	lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i] && status != HAKSTAT_USAGE; i++) {
		char *comment = strchr(lines[i], '#');
		int one;
		if (comment) {
			*comment = '\0';
		}
		if (*g_strstrip(lines[i]) == '\0') {
			continue;
		}
		one = check_one(lines[i], HAKSTAT_GATE_TRUE, report, base, err);
		if (one == HAKSTAT_USAGE) {
			hakstat_err_context(err, "%s:%u", path, i + 1);
		}
		status = MAX(status, one);
	}
	g_strfreev(lines);
	g_free(text);
	return status;
}

int hakstat_gates_check(const struct hakstat_gates *gates, const struct hakstat_report *report,
			const struct hakstat_report *base, struct hakstat_err *err)
{
	bool incomplete =
		hakstat_report_is_incomplete(report) || (base && hakstat_report_is_incomplete(base));
	int status = 0;

	if (!gates->fail_on && !gates->budget) {
		return 0;
	}
	if (gates->fail_on) {
		status = check_one(gates->fail_on, HAKSTAT_GATE_FALSE, report, base, err);
	}
	if (gates->budget && status != HAKSTAT_USAGE) {
		int one = check_budget(gates->budget, report, base, err);
		status = MAX(status, one);
	}
	if (status == HAKSTAT_USAGE) {
		return status;
	}
	if (incomplete && !gates->allow_lost) {
		return hakstat_err_set(err, HAKSTAT_GATE,
				       "no gate passes on an incomplete trace (lost events, or cut short); "
				       "--allow-lost decides "
				       "anyway");
	}
	return status ? hakstat_err_set(err, HAKSTAT_GATE, "a gate failed") : 0;
}
