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
	hakstat_err_set(
		err, HAKSTAT_USAGE,
		"condition '%s': %s; such as 'class C7 waste_percent > 15' or 'total live_waste_bytes > 4M'",
		text, why);
	return HAKSTAT_USAGE;
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

static bool is_route(const char *name)
{
	for (unsigned route = 0; route < HAK_ROUTE_COUNT; route++) {
		if (strcmp(name, hak_route_label(route)) == 0) {
			return true;
		}
	}
	return false;
}

/* "5%" of a number that is no percentage: of what, only a sign tells. */
static bool lacks_sign(const char *word, const struct hakstat_gate *gate)
{
	return gate->kind == HAKSTAT_GATE_VALUE && gate->column->unit != HAKSTAT_UNIT_PERCENT &&
	       g_str_has_suffix(word, "%");
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
	if (gate->in == 1u << HAKSTAT_BY_ROUTE && !is_route(gate->name)) {
		return bad(text, "the routes are tiny, smallmid, mid and large", err);
	}
	if (count != at + 3) {
		return bad(text, "a column, an operator and a number must follow", err);
	}
	gate->column = hakstat_column_find(gate->in, words[at]);
	if (!gate->column || gate->column->unit == HAKSTAT_UNIT_TEXT) {
		return bad(text, "there is no such number in that row, see 'hakstat --list-columns'", err);
	}
	if (!is_operator(words[at + 1])) {
		return bad(text, "the operator is none of < <= > >= == !=", err);
	}
	g_strlcpy(gate->op, words[at + 1], sizeof gate->op);
	if (parse_value(words[at + 2], gate) != 0) {
		return bad(text, "the last word is no number", err);
	}
	if (lacks_sign(words[at + 2], gate)) {
		return bad(text, "a percentage of the base has a sign, as +5% has", err);
	}
	return 0;
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
	g_free(gate->where);
	g_free(gate->name);
	memset(gate, 0, sizeof *gate);
}

/*
 * Rows of one name are added: a route has a row for each reason. False when there is none: of a class, the
 * table in force does not have it. A route has none when it took no request, and that is known if there were
 * any.
 */
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
	return found || (table == HAKSTAT_BY_ROUTE && report->totals.n.allocs != 0);
}

/* A class or route that served nothing wasted nothing of it. A recording of nothing proves nothing. */
static bool is_part_of_nothing(const struct hakstat_gate *gate, const struct hakstat_report *report,
			       const struct hakstat_row *row)
{
	return gate->column->unit == HAKSTAT_UNIT_PERCENT && row->n.allocs == 0 &&
	       report->totals.n.allocs != 0;
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
	return v.is_known || is_part_of_nothing(gate, report, &row);
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

/* Reading ---------------------------------------------------------------------------------- */

static void free_gate(void *data)
{
	hakstat_gate_clear(data);
	g_free(data);
}

/* Takes `where` over. */
static int load_one(GPtrArray *conditions, const char *text, char *where, bool is_must,
		    struct hakstat_err *err)
{
	struct hakstat_gate *gate = g_new0(struct hakstat_gate, 1);

	if (hakstat_gate_parse(text, gate, err) != 0) {
		hakstat_err_context(err, "%s", where);
		g_free(where);
		g_free(gate);
		return err->status;
	}
	gate->where = where;
	gate->is_must = is_must;
	g_ptr_array_add(conditions, gate);
	return 0;
}

static int load_lines(GPtrArray *conditions, const char *path, char *const *lines, struct hakstat_err *err)
{
	guint before = conditions->len;
	int status = 0;

	for (guint i = 0; lines[i] && status == 0; i++) {
		char *comment = strchr(lines[i], '#');
		if (comment) {
			*comment = '\0';
		}
		if (*g_strstrip(lines[i])) {
			status = load_one(conditions, lines[i], g_strdup_printf("%s:%u", path, i + 1), true,
					  err);
		}
	}
	if (status == 0 && conditions->len == before) {
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "budget: %s: holds no condition, so it would pass whatever happens",
				       path);
	}
	return status;
}

static int load_budget(GPtrArray *conditions, const char *path, struct hakstat_err *err)
{
	GError *error = NULL;
	gchar *text;
	char **lines;
	gsize length;
	int status;

	if (!g_file_get_contents(path, &text, &length, &error)) {
		hakstat_err_set(err, HAKSTAT_USAGE, "budget: %s", error->message);
		g_error_free(error);
		return err->status;
	}
	if (strlen(text) != length) {
		g_free(text);
		return hakstat_err_set(err, HAKSTAT_USAGE, "budget: %s: not a text: it holds a zero byte",
				       path);
	}
	lines = g_strsplit(text, "\n", -1);
	status = load_lines(conditions, path, lines, err);
	g_strfreev(lines);
	g_free(text);
	return status;
}

void hakstat_gates_clear(struct hakstat_gates *gates)
{
	if (gates->fail_on) {
		g_ptr_array_unref(gates->fail_on);
	}
	gates->fail_on = NULL;
}

GPtrArray *hakstat_gates_load(const struct hakstat_gates *gates, struct hakstat_err *err)
{
	GPtrArray *conditions = g_ptr_array_new_with_free_func(free_gate);
	int status = 0;

	for (guint i = 0; gates->fail_on && i < gates->fail_on->len && status == 0; i++) {
		status = load_one(conditions, g_ptr_array_index(gates->fail_on, i), g_strdup("--fail-on"),
				  false, err);
	}
	if (status == 0 && gates->budget) {
		status = load_budget(conditions, gates->budget, err);
	}
	if (status != 0) {
		g_ptr_array_unref(conditions);
		return NULL;
	}
	return conditions;
}

/* Judging ---------------------------------------------------------------------------------- */

static void free_outcome(void *data)
{
	struct hakstat_outcome *outcome = data;

	g_free(outcome->name);
	g_free(outcome->where);
	g_free(outcome->why);
	g_free(outcome);
}

/* Takes the texts over. */
static struct hakstat_outcome *add_outcome(GPtrArray *outcomes, char *name, char *where, char *why)
{
	struct hakstat_outcome *outcome = g_new0(struct hakstat_outcome, 1);

	outcome->name = name;
	outcome->where = where;
	outcome->why = why;
	g_ptr_array_add(outcomes, outcome);
	return outcome;
}

/* Why a condition fails; NULL when it does not. Free with g_free. */
static char *reason(const struct hakstat_gate *gate, const struct hakstat_report *report,
		    const struct hakstat_report *base)
{
	static const char *const units[] = { "", " more than before", " % more than before" };
	double found;
	enum hakstat_gate_result result = hakstat_gate_check(gate, report, base, &found);

	if (result == HAKSTAT_GATE_UNKNOWN) {
		return g_strdup_printf("cannot be decided: %s",
				       !base && gate->kind != HAKSTAT_GATE_VALUE
					       ? "'hakstat diff' has a base to compare with"
					       : "the report does not have this number");
	}
	if ((result == HAKSTAT_GATE_TRUE) == gate->is_must) {
		return NULL;
	}
	if (found >= G_MAXDOUBLE) {
		return g_strdup_printf("%s; before it was 0",
				       gate->is_must ? "does not hold" : "holds, and must not");
	}
	return g_strdup_printf("%s; it is %.10g%s", gate->is_must ? "does not hold" : "holds, and must not",
			       found, units[gate->kind]);
}

GPtrArray *hakstat_gates_judge(const GPtrArray *conditions, bool allow_lost,
			       const struct hakstat_report *report, const struct hakstat_report *base)
{
	GPtrArray *outcomes = g_ptr_array_new_with_free_func(free_outcome);
	bool is_incomplete =
		hakstat_report_is_incomplete(report) || (base && hakstat_report_is_incomplete(base));

	for (guint i = 0; i < conditions->len; i++) {
		const struct hakstat_gate *gate = g_ptr_array_index(conditions, i);
		add_outcome(outcomes, g_strdup(gate->text), g_strdup(gate->where), reason(gate, report, base))
			->is_given = true;
	}
	if (conditions->len && !allow_lost) {
		add_outcome(outcomes, g_strdup("the traces are complete"), NULL,
			    is_incomplete ? g_strdup("no gate passes on an incomplete trace (lost events, or "
						     "cut short); --allow-lost decides anyway")
					  : NULL);
	}
	return outcomes;
}

int hakstat_gates_say(const GPtrArray *outcomes, struct hakstat_err *err)
{
	guint failed = 0, given = 0;
	bool is_incomplete = false;

	for (guint i = 0; i < outcomes->len; i++) {
		const struct hakstat_outcome *outcome = g_ptr_array_index(outcomes, i);
		given += outcome->is_given;
		if (outcome->why) {
			hakstat_say("gate: %s: %s", outcome->name, outcome->why);
			failed += outcome->is_given;
			is_incomplete |= !outcome->is_given;
		}
	}
	if (is_incomplete) {
		return hakstat_err_set(err, HAKSTAT_GATE,
				       "%u of %u gate%s failed, and none passes on incomplete traces", failed,
				       given, given == 1 ? "" : "s");
	}
	return failed ? hakstat_err_set(err, HAKSTAT_GATE, "%u of %u gate%s failed", failed, given,
					given == 1 ? "" : "s")
		      : 0;
}
