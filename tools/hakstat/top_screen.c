/* SPDX-License-Identifier: MIT */
/*
 * Drawing by ncurses, keys, and the ways out. Signals that end the program come through a descriptor
 * beside the keys.
 */
#include "top_screen.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "number.h"
#include "render.h"
#include "terminal_reset.h"
#include "text.h"
#include "top_table.h"

enum { PAIR_ALARM = 1, PAIR_WARN = 2, HEAD_LINES = 4 };

enum { ALARM_PERCENT = 50, WARN_PERCENT = 25 };

struct screen {
	struct hakstat_top_reader *reader;
	const char *title;
	struct hakstat_top top;
	int signals; /* descriptor */
	bool is_utf8, is_paused, shows_help, has_ended, is_done;
	int first;		      /* row on top */
	struct hakstat_summary *held; /* came while paused: the newest */
};

/* Begin and end ---------------------------------------------------------------------------- */

static void end_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGQUIT);
}

static void use_colours(void)
{
	const char *no_color = getenv("NO_COLOR");

	if ((no_color && *no_color) || !has_colors()) {
		return;
	}
	start_color();
	use_default_colors();
	init_pair(PAIR_ALARM, COLOR_RED, -1);
	init_pair(PAIR_WARN, COLOR_YELLOW, -1);
}

/*
 * ncurses notes a new size in a signal handler and tells it as a key. The signal is let in while we wait and
 * at no other time, or one that comes just before would not end the wait.
 */
static void block_resize(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(how, &set, NULL);
}

static int open_terminal(int *signals, struct hakstat_err *err)
{
	SCREEN *terminal;
	sigset_t set;

	hakstat_terminal_reset_note();
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal) {
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "top: TERM=%s: not a terminal that can be drawn on",
				       getenv("TERM") ? getenv("TERM") : "");
	}
	hakstat_terminal_reset_arm();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	use_colours();
	end_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	*signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	block_resize(SIG_BLOCK);
	return 0;
}

static void close_terminal(int signals)
{
	endwin();
	close(signals);
	block_resize(SIG_UNBLOCK);
	hakstat_terminal_reset_disarm();
}

/* Drawing ---------------------------------------------------------------------------------- */

/* At most `width` characters of text that hakstat_text_clean has been over; the rest is blank. */
static void put(int y, int x, const char *text, int width, bool is_left)
{
	g_autofree char *shown = hakstat_text_for_locale(text);
	glong length = g_utf8_strlen(shown, -1);
	g_autofree char *cut = g_utf8_substring(shown, 0, MIN(length, width));
	int blank = width - (int)MIN(length, width);

	if (width <= 0) {
		return;
	}
	mvprintw(y, x, "%*s%s%*s", is_left ? 0 : blank, "", cut, is_left ? blank : 0, "");
}

static void draw_heads(const struct screen *s, const bool *shown, int rest)
{
	size_t count;
	const struct hakstat_top_column *columns = hakstat_top_columns(s->top.page, &count);
	int x = 0;

	for (size_t i = 0; i < count; i++) {
		int width = columns[i].width ? columns[i].width : rest;
		bool is_sort = i == s->top.sort[s->top.page];
		if (!shown[i]) {
			continue;
		}
		attron(is_sort ? A_REVERSE | A_BOLD : A_REVERSE);
		put(HEAD_LINES - 1, x,
		    columns[i].kind == HAKSTAT_TOP_TREND ? hakstat_top_trend_name(s->top.trend, width)
							 : columns[i].header,
		    width, columns[i].is_left);
		attroff(A_REVERSE | A_BOLD);
		x += width + 1;
	}
}

static attr_t cell_colour(const struct hakstat_top_column *column, const char *cell)
{
	double percent = g_ascii_strtod(cell, NULL);

	if (column->kind != HAKSTAT_TOP_LIVE_PERCENT || percent < WARN_PERCENT) {
		return 0;
	}
	return COLOR_PAIR(percent < ALARM_PERCENT ? PAIR_WARN : PAIR_ALARM);
}

static void draw_row(const struct screen *s, const struct hakstat_row *row, int y, const bool *shown,
		     int rest)
{
	size_t count;
	const struct hakstat_top_column *columns = hakstat_top_columns(s->top.page, &count);
	int x = 0;

	for (size_t i = 0; i < count; i++) {
		int width = columns[i].width ? columns[i].width : rest;
		g_autofree char *cell = NULL;
		attr_t colour;
		if (!shown[i]) {
			continue;
		}
		cell = hakstat_top_cell(&s->top, &columns[i], row, width, s->is_utf8);
		colour = cell_colour(&columns[i], cell);
		attron(colour);
		put(y, x, cell, width, columns[i].is_left);
		attroff(colour);
		x += width + 1;
	}
}

/* Call sites are named only when they are looked at. */
static void draw_no_rows(const struct screen *s)
{
	static const char *const whys[] = { "no call sites yet; they come with the next numbers",
					    "call sites come with the next numbers; space lets them come",
					    "no call site was sampled" };

	put(HEAD_LINES, 0, whys[s->is_paused ? 1 : s->has_ended ? 2 : 0], COLS, true);
}

static void draw_table(struct screen *s)
{
	bool shown[16];
	int rest = hakstat_top_fit(s->top.page, COLS, shown);
	GPtrArray *rows = hakstat_top_rows(&s->top);
	int room = LINES - HEAD_LINES - 1;

	s->first = CLAMP(s->first, 0, MAX((int)rows->len - room, 0));
	draw_heads(s, shown, rest);
	for (int i = 0; i < room && s->first + i < (int)rows->len; i++) {
		draw_row(s, g_ptr_array_index(rows, s->first + i), HEAD_LINES + i, shown, rest);
	}
	if (rows->len == 0 && s->top.page == HAKSTAT_TOP_SITES) {
		draw_no_rows(s);
	}
	g_ptr_array_unref(rows);
}

static char *total(const struct hakstat_report *r, const char *key)
{
	return hakstat_cell_text(hakstat_column_find(HAKSTAT_IN_TOTALS, key), &r->totals, false);
}

/* Waste is known of what was allocated since the view began. Free with g_free. */
static char *waste_text(const struct hakstat_report *r)
{
	const struct hakstat_counts *n = &r->totals.n;
	g_autofree char *waste = total(r, "live_waste_bytes");
	char known[32];

	hakstat_text_bytes(known, sizeof known, hakstat_less(n->live_usable_bytes, n->live_unknown_bytes));
	if (!n->live_unknown) {
		return g_strdup_printf("%s%s", waste, r->summary->estimated ? " (estimated)" : "");
	}
	return n->live_unknown < n->live ? g_strdup_printf("%s of the newest %s", waste, known)
					 : g_strdup("? (all older than this view)");
}

static void draw_totals(const struct hakstat_report *r)
{
	g_autofree char *live = total(r, "live");
	g_autofree char *bytes = total(r, "live_usable_bytes");
	g_autofree char *waste = waste_text(r);
	g_autofree char *idle = total(r, "external_waste_bytes");
	g_autofree char *held = total(r, "held_bytes");
	g_autofree char *committed = total(r, "committed_bytes");
	g_autofree char *line =
		g_strdup_printf("live %s in %s blocks, waste %s; free in slabs %s; held %s; committed %s",
				bytes, live, waste, idle, held, committed);

	put(1, 0, line, COLS, true);
}

/* What the numbers do not hold must be seen beside them. */
static void draw_losses(const struct hakstat_report *r)
{
	const struct hakstat_summary *s = r->summary;
	g_autofree char *line =
		g_strdup_printf("%s%" G_GUINT64_FORMAT " events LOST%s: the numbers are too low",
				s->lost_unknown || s->lost_operations ? "at least " : "", s->lost_events,
				s->partial ? ", a part could not be read" : "");

	if (hakstat_report_is_incomplete(r)) {
		attron(COLOR_PAIR(PAIR_ALARM) | A_BOLD);
		put(2, 0, line, COLS, true);
		attroff(COLOR_PAIR(PAIR_ALARM) | A_BOLD);
	}
}

static void draw_title(const struct screen *s)
{
	const struct hakstat_report *r = s->top.report;
	g_autofree char *line =
		g_strdup_printf("hakstat top, %.0f s%s%s: %s", r ? hakstat_report_duration_s(r) : 0.0,
				s->has_ended ? ", it has ENDED, these are the last numbers" : "",
				s->is_paused ? ", PAUSED" : "", s->title);

	attron(A_BOLD);
	put(0, 0, line, COLS, true);
	attroff(A_BOLD);
}

static void draw_help_line(const struct screen *s)
{
	size_t count;
	const struct hakstat_top_column *columns = hakstat_top_columns(s->top.page, &count);
	const struct hakstat_top_column *by = &columns[s->top.sort[s->top.page]];
	g_autofree char *line = g_strdup_printf(
		"q quit  Tab %s  <> sort: %s%s  r reverse  t trend  space pause  h help",
		s->top.page == HAKSTAT_TOP_CLASSES ? "sites" : "classes",
		by->kind == HAKSTAT_TOP_TREND ? hakstat_top_trend_name(s->top.trend, COLS) : by->header,
		s->top.is_reverse[s->top.page] ? ", least first" : "");

	attron(A_REVERSE);
	put(LINES - 1, 0, line, COLS, true);
	attroff(A_REVERSE);
}

static void draw_help(void)
{
	static const char *const lines[] = {
		"q, Ctrl-C      quit",
		"Tab            call sites, and back to classes",
		"<  >  s        order by the column before, or the next one",
		"r              turn the order round",
		"t              what the trend shows: live bytes, live waste, allocations a second",
		"up down        move by a line; PgUp PgDn by a page; Home End",
		"space          hold the numbers still, and go on",
		"h, ?           this page, and back",
		"",
		"live waste     usable less requested bytes of what is live, estimated from samples;",
		"               >: of older blocks nobody knows what was requested; ?: of all of them",
		"± live         half the width of the 95 % interval of live waste",
		"idle           bytes in slabs that no live block uses",
		"held           committed spans that nobody uses and that were not given back yet",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(lines) && HEAD_LINES + (int)i < LINES - 1; i++) {
		put(HEAD_LINES + (int)i, 0, lines[i], COLS, true);
	}
}

static void draw(struct screen *s)
{
	erase();
	draw_title(s);
	if (s->shows_help) {
		draw_help();
	} else if (!s->top.report) {
		put(1, 0, "waiting for the first numbers ...", COLS, true);
	} else {
		draw_totals(s->top.report);
		draw_losses(s->top.report);
		draw_table(s);
	}
	draw_help_line(s);
	refresh();
}

/* Keys ------------------------------------------------------------------------------------- */

static void turn_page(struct screen *s)
{
	s->top.page = s->top.page == HAKSTAT_TOP_CLASSES ? HAKSTAT_TOP_SITES : HAKSTAT_TOP_CLASSES;
	s->first = 0;
	hakstat_top_reader_want_sites(s->reader, s->top.page == HAKSTAT_TOP_SITES);
}

static void turn_pause(struct screen *s)
{
	s->is_paused = !s->is_paused;
	if (!s->is_paused && s->held) {
		hakstat_top_take(&s->top, s->held);
		s->held = NULL;
	}
}

static void scroll_by(struct screen *s, int lines)
{
	s->first = MAX(s->first + lines, 0);
}

static void scroll_key(struct screen *s, int key)
{
	int page = MAX(LINES - HEAD_LINES - 1, 1);

	switch (key) {
	case KEY_UP:
		scroll_by(s, -1);
		break;
	case KEY_DOWN:
		scroll_by(s, 1);
		break;
	case KEY_PPAGE:
		scroll_by(s, -page);
		break;
	case KEY_NPAGE:
		scroll_by(s, page);
		break;
	case KEY_HOME:
		s->first = 0;
		break;
	case KEY_END:
		s->first = INT32_MAX / 2;
		break;
	default:
		break;
	}
}

static void take_key(struct screen *s, int key)
{
	switch (key) {
	case 'q':
		s->is_done = true;
		break;
	case '\t':
		turn_page(s);
		break;
	case '>':
	case 's':
		hakstat_top_sort_next(&s->top, 1);
		break;
	case '<':
		hakstat_top_sort_next(&s->top, -1);
		break;
	case 'r':
		s->top.is_reverse[s->top.page] = !s->top.is_reverse[s->top.page];
		break;
	case 't':
		s->top.trend = (s->top.trend + 1) % HAKSTAT_TOP_TRENDS;
		break;
	case ' ':
		turn_pause(s);
		break;
	case 'h':
	case '?':
		s->shows_help = !s->shows_help;
		break;
	default:
		scroll_key(s, key);
		break;
	}
}

/* The loop --------------------------------------------------------------------------------- */

static void take_summary(struct screen *s, struct hakstat_summary *summary)
{
	if (!s->is_paused) {
		hakstat_top_take(&s->top, summary);
		return;
	}
	if (s->held) {
		hakstat_summary_free(s->held);
	}
	s->held = summary;
}

static int take_news(struct screen *s, struct hakstat_err *err)
{
	struct hakstat_summary *summary = NULL;

	while (!s->has_ended) {
		switch (hakstat_top_reader_take(s->reader, &summary, err)) {
		case HAKSTAT_TOP_SUMMARY:
			take_summary(s, summary);
			break;
		case HAKSTAT_TOP_ENDED:
			s->has_ended = true;
			break;
		case HAKSTAT_TOP_FAILED:
			return err->status;
		default:
			return 0;
		}
	}
	return 0;
}

static int wait_for(struct pollfd *events, nfds_t count)
{
	sigset_t during;

	sigprocmask(SIG_BLOCK, NULL, &during);
	sigdelset(&during, SIGWINCH);
	return ppoll(events, count, NULL, &during);
}

/* Waits for a key, news, a signal or another size of the terminal. */
static void await(struct screen *s)
{
	struct pollfd events[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				   { .fd = s->signals, .events = POLLIN },
				   { .fd = s->has_ended ? -1 : s->reader->from, .events = POLLIN } };

	if (wait_for(events, G_N_ELEMENTS(events)) < 0) {
		return; /* the size changed: getch tells it as a key */
	}
	/* A terminal that is gone is no reason to go round in circles. */
	s->is_done = events[1].revents || (events[0].revents & (POLLHUP | POLLERR | POLLNVAL));
}

static int loop(struct screen *s, struct hakstat_err *err)
{
	int status = 0;

	draw(s);
	while (!s->is_done && status == 0) {
		int key;
		await(s);
		while (!s->is_done && (key = getch()) != ERR) {
			take_key(s, key);
		}
		status = take_news(s, err);
		if (status == 0) {
			draw(s);
		}
	}
	return status;
}

int hakstat_top_screen(struct hakstat_top_reader *reader, const char *title, struct hakstat_err *err)
{
	struct screen s = { .reader = reader, .title = title };
	int status = open_terminal(&s.signals, err);

	if (status) {
		return status;
	}
	s.is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	hakstat_top_init(&s.top);
	status = loop(&s, err);
	close_terminal(s.signals);
	if (s.held) {
		hakstat_summary_free(s.held);
	}
	hakstat_top_clear(&s.top);
	return status;
}

/* The choice ------------------------------------------------------------------------------- */

static void draw_choice(const GPtrArray *lines, const char *question, int chosen)
{
	int room = LINES - 2;
	int first = CLAMP(chosen - room + 1, 0, MAX((int)lines->len - room, 0));

	erase();
	attron(A_BOLD);
	put(0, 0, question, COLS, true);
	attroff(A_BOLD);
	for (int i = 0; i < room && first + i < (int)lines->len; i++) {
		attr_t mark = first + i == chosen ? A_REVERSE : 0;
		attron(mark);
		put(1 + i, 0, g_ptr_array_index(lines, first + i), COLS, true);
		attroff(mark);
	}
	put(LINES - 1, 0, "up, down, Enter; q quits", COLS, true);
	refresh();
}

int hakstat_top_choose(const GPtrArray *lines, const char *question, struct hakstat_err *err)
{
	int chosen = 0;
	int signals = -1;
	bool is_done = false;

	if (open_terminal(&signals, err) != 0) {
		return -1;
	}
	while (!is_done) {
		struct pollfd events[] = { { .fd = STDIN_FILENO, .events = POLLIN },
					   { .fd = signals, .events = POLLIN } };
		int key;
		draw_choice(lines, question, chosen);
		wait_for(events, G_N_ELEMENTS(events));
		key = getch();
		if (events[1].revents || (events[0].revents & (POLLHUP | POLLERR)) || key == 'q') {
			chosen = -1;
			is_done = true;
		} else if (key == KEY_UP || key == KEY_DOWN) {
			chosen = CLAMP(chosen + (key == KEY_UP ? -1 : 1), 0, (int)lines->len - 1);
		}
		is_done = is_done || key == '\r' || key == '\n' || key == KEY_ENTER;
	}
	close_terminal(signals);
	return chosen;
}
