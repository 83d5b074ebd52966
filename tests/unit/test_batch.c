/* SPDX-License-Identifier: MIT */
/*
 * Batches of operations with a probe in the place of LTTng's: each operation is written once and can be
 * read from its event alone, whoever writes it and whenever.
 */
#include "batch.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "hak_tp.h"

/* Of session.h, as another part names a header, too. */
void hak_session_close(void);
void hak_session_reopen(void);

enum { THREADS = 4, OPERATIONS = 50000, CLASS = 9, NEAR = 100, FAR = 5000 };

/* What came out, of one thread. */
struct thread_log {
	uint32_t tid;
	uint64_t next; /* operation */
	uint64_t requested[OPERATIONS];
	unsigned events;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct thread_log logs[THREADS];
static unsigned log_count;
static unsigned unreadable, malformed;

static struct thread_log *log_of(uint32_t tid)
{
	for (unsigned i = 0; i < log_count; i++) {
		if (logs[i].tid == tid) {
			return &logs[i];
		}
	}
	logs[log_count].tid = tid;
	return &logs[log_count++];
}

/* Each event is read by itself, as hakstat reads it. */
static void read_event(struct thread_log *log, uint32_t operations, uint32_t units, const uint64_t *words)
{
	struct hak_ops_operation op;
	struct hak_ops_reader reader;
	uint32_t read = 0;

	hak_ops_read_begin(&reader, words, units);
	while (hak_ops_read(&reader, &op) == 1 && log->next < OPERATIONS) {
		log->requested[log->next++] = op.requested;
		read++;
	}
	unreadable += read != operations;
	log->events++;
}

/* In the place of LTTng's probe. */
static void on_ops(void *data, uint32_t pid, uint32_t tid, uint64_t first, uint32_t operations,
		   uint32_t units, uint64_t *words, uint32_t count)
{
	(void)data;
	pthread_mutex_lock(&lock);
	struct thread_log *log = log_of(tid);
	malformed += first != log->next || pid != (uint32_t)getpid() || count != (units + 3) / 4 ||
		     (uintptr_t)words % sizeof *words;
	read_event(log, operations, units, words);
	pthread_mutex_unlock(&lock);
}

static char provider[] = "hakmem", event[] = "ops";

static void listen_to_ops(void)
{
	lttng_ust_tracepoint_register_hakmem___ops(provider, event, (void (*)(void))on_ops, NULL);
}

static void ignore_ops(void)
{
	lttng_ust_tracepoint_unregister_hakmem___ops(provider, event, (void (*)(void))on_ops, NULL);
}

static void *flush_twice(void *unused)
{
	(void)unused;
	hak_batch_flush_all(); /* asks the owner */
	hak_batch_flush_all(); /* and writes for it */
	return NULL;
}

static void in_another_thread(void *(*fn)(void *))
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, fn, NULL), 0);
	pthread_join(thread, NULL);
}

/* The tracer's thread comes by, twice. */
static void flush_from_outside(void)
{
	in_another_thread(flush_twice);
}

static void add(uint64_t requested)
{
	hak_batch_add(hak_ops_head(HAK_WORD_ALLOC, CLASS), hak_ops_key(requested, 0, 0));
}

/* What the calling thread has written so far. */
static const struct thread_log *own_log(void)
{
	return log_of((uint32_t)gettid());
}

static int begin(void **state)
{
	(void)state;
	hak_batch_after_fork(); /* forgets what was before, and numbers from 0 */
	memset(logs, 0, sizeof logs);
	log_count = unreadable = malformed = 0;
	listen_to_ops();
	return 0;
}

static int end(void **state)
{
	(void)state;
	ignore_ops();
	return 0;
}

static void expect_all(const struct thread_log *log, const uint64_t *requested, unsigned count)
{
	assert_int_equal(unreadable, 0);
	assert_int_equal(malformed, 0);
	assert_int_equal(log->next, count);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(log->requested[i], requested[i]);
	}
}

static void what_was_added_is_written_in_order(void **state)
{
	static uint64_t requested[OPERATIONS];
	(void)state;

	srand(5);
	for (unsigned i = 0; i < OPERATIONS; i++) {
		requested[i] = (uint64_t)rand() % 3000;
		add(requested[i]);
	}
	assert_in_range(own_log()->events, OPERATIONS / HAK_BATCH_UNITS, OPERATIONS / 100);
	flush_from_outside();
	expect_all(own_log(), requested, OPERATIONS);
}

enum kind { SHORT, LONG, FLAGGED, FULL, KINDS };

static void add_of_kind(enum kind kind, uint64_t requested)
{
	uint64_t words[2] = { hak_word_pack(HAK_WORD_ALLOC, CLASS, 0, 0, 0, 1, requested), requested };

	if (kind == FULL) {
		hak_batch_add_full(words, 2);
	} else {
		hak_batch_add(hak_ops_head(HAK_WORD_ALLOC, CLASS),
			      hak_ops_key(requested, 0, kind == FLAGGED));
	}
}

/* The calling thread looks for room, is held up while another writes for it, and goes on. */
static void add_while_flushed(enum kind kind, const uint64_t *requested, unsigned count)
{
	struct hak_batch *b = hak_tracer_thread.batch;
	uint32_t had = atomic_load(&b->limit);
	uint32_t left;

	flush_from_outside();
	left = atomic_exchange(&b->limit, had);
	assert_int_equal(left, 0);
	for (unsigned i = 0; i < count; i++) {
		add_of_kind(kind, requested[i]);
	}
	atomic_store(&b->limit, left);
}

/*
 * Wherever in a word the first one begins, whether or not they refer to one of those before: `count`
 * records, of which one is what a thread has in hand that is held up.
 */
static void check_parted(enum kind kind, unsigned before, unsigned count)
{
	const struct thread_log *log = own_log();
	uint64_t requested[16];
	uint64_t base = log->next;

	for (unsigned i = 0; i < before; i++) {
		requested[i] = NEAR + i;
		add(requested[i]);
	}
	for (unsigned i = 0; i < count; i++) {
		requested[before + i] = (kind == LONG ? FAR : NEAR) + 10 * i;
	}
	add_while_flushed(kind, requested + before, count);
	assert_int_equal(log->next, base + before);
	requested[before + count] = NEAR + 60;
	add(requested[before + count]); /* finds that it was asked to write, and begins anew */
	assert_int_equal(log->next, base + before + count);
	flush_from_outside();
	assert_int_equal(unreadable, 0);
	assert_int_equal(malformed, 0);
	assert_int_equal(log->next, base + before + count + 1);
	assert_memory_equal(log->requested + base, requested, (before + count + 1) * sizeof requested[0]);
	add(0); /* begins anew once more */
	flush_from_outside();
}

static void records_added_while_another_thread_flushes_are_not_lost(void **state)
{
	(void)state;
	for (enum kind kind = 0; kind < KINDS; kind++) {
		for (unsigned before = 1; before <= 9; before++) {
			check_parted(kind, before, 1);
			check_parted(kind, before, 5);
		}
	}
}

/* The tracer's thread writes for it a second time, before the owner comes by. */
static void nor_are_those_that_another_thread_writes_too(void **state)
{
	const uint64_t requested[] = { NEAR, NEAR + 1, NEAR + 50, NEAR + 51 };
	(void)state;

	add(requested[0]);
	add(requested[1]);
	add_while_flushed(SHORT, requested + 2, 1);
	flush_from_outside();
	expect_all(own_log(), requested, 3);
	add(requested[3]);
	assert_int_equal(own_log()->events, 2);
	flush_from_outside();
	expect_all(own_log(), requested, 4);
}

/* Both far from each other, and near to what they refer to: packed anew, each takes three units. */
static void records_that_grow_are_written_in_several_events(void **state)
{
	enum { COUNT = 1500 };
	static uint64_t requested[1 + COUNT];
	(void)state;

	requested[0] = FAR;
	for (unsigned i = 1; i <= COUNT; i++) {
		requested[i] = i % 2 ? FAR - HAK_OPS_NEAR : FAR + HAK_OPS_NEAR;
	}
	add(requested[0]);
	add_while_flushed(SHORT, requested + 1, COUNT);
	flush_from_outside();
	expect_all(own_log(), requested, 1 + COUNT);
	assert_int_equal(own_log()->events, 1 + 3);
}

static void what_nobody_wanted_is_forgotten_and_not_counted(void **state)
{
	const uint64_t requested[] = { 1000, 1001 };
	(void)state;

	add(requested[0]);
	flush_from_outside();
	ignore_ops();
	add(7);
	flush_from_outside();
	listen_to_ops();
	add(requested[1]);
	flush_from_outside();
	expect_all(own_log(), requested, 2);
}

static void *flush_once(void *unused)
{
	hak_batch_flush_all();
	return unused;
}

static void what_one_session_wanted_is_not_written_in_the_next(void **state)
{
	const uint64_t requested[] = { 1000, 1001, 1002 };
	(void)state;

	add(requested[0]);
	flush_from_outside();
	add(7);
	ignore_ops();
	in_another_thread(flush_once);
	listen_to_ops();
	add(requested[1]);
	flush_from_outside();
	ignore_ops();
	add(8); /* as a thread does that has not seen yet that the session is over */
	add(9);
	assert_int_equal(hak_batch_operations(atomic_load(&hak_tracer_thread.batch->published)), 1);
	in_another_thread(flush_once);
	listen_to_ops();
	add(requested[2]);
	flush_from_outside();
	expect_all(own_log(), requested, 3);
}

static void *begin_to_leave(void *unused)
{
	hak_session_close();
	hak_batch_flush_all();
	return unused;
}

static void *end_leaving(void *unused)
{
	hak_session_close();
	hak_batch_flush_last();
	hak_session_reopen();
	return unused;
}

static void what_is_added_while_the_process_leaves_is_written_by_who_ends_it(void **state)
{
	const uint64_t requested[] = { 1000, 1001, 5000, 1002, 1003 };
	(void)state;

	add(requested[0]);
	in_another_thread(begin_to_leave);
	add(requested[1]);
	add(requested[2]);
	assert_int_equal(log_count, 0);
	in_another_thread(end_leaving);
	add(requested[3]); /* it stays after all */
	add(requested[4]);
	flush_from_outside();
	expect_all(own_log(), requested, 5);
}

static void and_what_does_not_fit_in_its_batch_is_counted(void **state)
{
	enum { FEW = 10 };
	(void)state;

	add(NEAR);
	in_another_thread(begin_to_leave);
	for (unsigned i = 1; i < HAK_BATCH_UNITS + FEW; i++) {
		add(NEAR);
	}
	in_another_thread(end_leaving);
	uint64_t written = own_log()->next;
	assert_in_range(written, HAK_BATCH_LIMIT - HAK_OPS_LONG_UNITS, HAK_BATCH_UNITS);
	add(NEAR);
	assert_int_equal(hak_tracer_thread.batch->next, HAK_BATCH_UNITS + FEW);
	log_of((uint32_t)gettid())->next = HAK_BATCH_UNITS + FEW;
	flush_from_outside();
	assert_int_equal(malformed, 0);
}

static void *leave_before_its_thread(void *unused)
{
	(void)unused;
	hak_tracer_thread.state = HAK_THREAD_SHOWN;
	add(1000);
	in_another_thread(begin_to_leave);
	add(1001);
	hak_batch_thread_exit();
	return NULL;
}

static void so_is_the_batch_of_a_thread_that_ends_then(void **state)
{
	const uint64_t requested[] = { 1000, 1001 };
	(void)state;

	in_another_thread(leave_before_its_thread);
	in_another_thread(end_leaving);
	assert_int_equal(log_count, 1);
	expect_all(&logs[0], requested, 2);
}

static const uint64_t of_ended[] = { 500, 501, 502, 503 };

static void *add_after_the_end(void *unused)
{
	(void)unused;
	hak_tracer_thread.state = HAK_THREAD_SHOWN;
	add(of_ended[0]);
	add(of_ended[1]);
	hak_batch_thread_exit();
	add(of_ended[2]);
	add(of_ended[3]);
	return NULL;
}

static void a_thread_that_has_ended_writes_each_at_once(void **state)
{
	pthread_t thread;
	(void)state;

	assert_int_equal(pthread_create(&thread, NULL, add_after_the_end, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(log_count, 1);
	assert_int_equal(logs[0].events, 3);
	expect_all(&logs[0], of_ended, 4);
}

static atomic_uint at_work;

/* Sizes that the number of the operation gives, so that the log can be checked without a copy. */
static uint64_t size_of(uint64_t number)
{
	return number * 7919 % (number % 64 ? 200 : 100000);
}

static void *add_many(void *unused)
{
	(void)unused;
	hak_tracer_thread.state = HAK_THREAD_SHOWN;
	for (uint64_t i = 0; i < OPERATIONS; i++) {
		add(size_of(i));
	}
	hak_batch_thread_exit();
	atomic_fetch_sub(&at_work, 1);
	return NULL;
}

static void threads_that_are_flushed_all_the_time_lose_nothing(void **state)
{
	pthread_t threads[THREADS];
	(void)state;

	atomic_store(&at_work, THREADS);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
	}
	while (atomic_load(&at_work)) {
		hak_batch_flush_all();
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(unreadable, 0);
	assert_int_equal(malformed, 0);
	assert_int_equal(log_count, THREADS);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(logs[i].next, OPERATIONS);
		for (uint64_t n = 0; n < OPERATIONS; n++) {
			assert_int_equal(logs[i].requested[n], size_of(n));
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_added_is_written_in_order),
		TEST(records_added_while_another_thread_flushes_are_not_lost),
		TEST(nor_are_those_that_another_thread_writes_too),
		TEST(records_that_grow_are_written_in_several_events),
		TEST(what_nobody_wanted_is_forgotten_and_not_counted),
		TEST(what_one_session_wanted_is_not_written_in_the_next),
		TEST(what_is_added_while_the_process_leaves_is_written_by_who_ends_it),
		TEST(and_what_does_not_fit_in_its_batch_is_counted),
		TEST(so_is_the_batch_of_a_thread_that_ends_then),
		TEST(a_thread_that_has_ended_writes_each_at_once),
		TEST(threads_that_are_flushed_all_the_time_lose_nothing),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
