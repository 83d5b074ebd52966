/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for the allocator, to try the tracer alone: it offers the functions that a
 * tracer attaches to, and calls the hooks with a fixed list of operations. To be linked with
 * -rdynamic and run with libhakmem-tracer.so in LD_PRELOAD.
 *
 *   trace_driver [-n OPERATIONS] [-t THREADS] [-r ROUNDS] [-s SAMPLE_EVERY] [-e END] [-l] [-w] [-q]
 *
 * Operation i of a thread is: 0 alloc, 1 free, 2 alloc of large, 3 free of large, 4 resize,
 * then the same again. ROUNDS starts that many sets of threads, one after the other. -l lasts:
 * the whole is repeated until SIGTERM. -w waits until a session wants operations or samples.
 * END is how the process ends: return, exit, _exit, quick_exit, exec, fork, kill or corrupt.
 * Prints the time an operation took, unless -q.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hakmem.h"
#include "hakmem_trace.h"

static struct {
	uint64_t operations;
	unsigned threads;
	unsigned rounds;
	unsigned sample_every; /* 0: no samples */
	const char *end;
	bool lasts;
	bool waits;
	bool is_quiet;
} options = { .operations = 1000, .threads = 1, .rounds = 1, .end = "return" };

static const struct hak_trace_ops *tracer;
static volatile sig_atomic_t is_told_to_end;
static _Atomic(uint64_t) allocs;
static _Atomic(uint64_t) frees;
static _Thread_local bool is_unseen;

int hak_trace_attach(const struct hak_trace_ops *ops)
{
	if (tracer) {
		return -EBUSY;
	}
	tracer = ops;
	return 0;
}

void hak_trace_detach(void)
{
	tracer = NULL;
}

void hak_trace_notice(void) {}

void hak_trace_run_unseen(void (*fn)(void *), void *arg)
{
	bool before = is_unseen;
	is_unseen = true;
	fn(arg);
	is_unseen = before;
}

const char *hakmem_version(void)
{
	return HAKMEM_VERSION;
}

void hakmem_config_read(struct hakmem_config *out)
{
	*out = (struct hakmem_config) {
		.size_classes = "fine",
		.tiny_max_class = 7,
		.tiny_max_size = 1024,
		.class_count = 1,
		.page_size = 4096,
		.superslab_size = 2 << 20,
		.purge_delay_ms = -1,
		.sample_bytes = 524288,
		.snapshot_ms = 200,
		.frag_percent = 50,
		.stack_depth = 32,
	};
}

size_t hakmem_stats_classes(struct hakmem_class_stats *out, size_t capacity)
{
	struct hakmem_class_stats row = {
		.usable = 112,
		.min_request = 1,
		.max_request = 112,
		.allocs = atomic_load(&allocs),
		.frees = atomic_load(&frees),
		.name = "C4.112",
	};
	for (size_t i = 0; i < capacity && i < 2; i++) {
		out[i] = row;
		row = (struct hakmem_class_stats) { .class_id = 1,
						    .route = HAK_ROUTE_LARGE,
						    .name = "large" };
	}
	return 2;
}

void hakmem_stats_heap(struct hakmem_heap_stats *out)
{
	*out = (struct hakmem_heap_stats) { .reserved = 1 << 30,
					    .mapped = 2 << 20,
					    .threads = options.threads };
}

static const struct hak_trace_op small = {
	.ptr = &allocs, .requested = 100, .usable = 112, .reason = HAK_REASON_SIZE_FIT
};
static const struct hak_trace_op large = { .ptr = &frees,
					   .requested = 300000,
					   .usable = 303104,
					   .class_id = 1,
					   .route = HAK_ROUTE_LARGE,
					   .reason = HAK_REASON_ABOVE_MID };

static void do_operation(unsigned want, uint64_t i)
{
	static const struct hak_trace_op resized = { .ptr = &allocs, .requested = 110, .usable = 112 };
	switch (i % 5) {
	case 0:
		tracer->alloc(want, &small);
		break;
	case 1:
		tracer->free(want, &small);
		break;
	case 2:
		tracer->alloc(want, &large);
		break;
	case 3:
		tracer->free(want, &large);
		break;
	default:
		tracer->resize(want, &resized, 100);
		break;
	}
}

static void do_sample(void)
{
	struct hak_trace_sample sample = { .requested = 100, .weight = 4681.6 };
	tracer->sample_alloc(&small, &sample);
	tracer->sample_free(&small, &sample);
}

static void hooks(void *arg)
{
	unsigned want = tracer->wanted();
	uint64_t n = options.operations;
	for (uint64_t i = 0; i < n; i++) {
		if (want & HAK_TRACE_EVERY_OP) {
			do_operation(want, i);
		}
		if (options.sample_every && (want & HAK_TRACE_SAMPLE) && i % options.sample_every == 0) {
			do_sample();
		}
	}
	atomic_fetch_add(&allocs, n / 5 * 2);
	atomic_fetch_add(&frees, n / 5 * 2);
	if (arg) {
		tracer->thread_exit();
	}
}

static void *thread_main(void *arg)
{
	hak_trace_run_unseen(hooks, arg);
	return NULL;
}

static void run_round(void)
{
	pthread_t threads[64];
	for (unsigned i = 0; i < options.threads; i++) {
		if (pthread_create(&threads[i], NULL, thread_main, &options) != 0) {
			perror("trace_driver: pthread_create");
			exit(2);
		}
	}
	for (unsigned i = 0; i < options.threads; i++) {
		pthread_join(threads[i], NULL);
	}
}

static void run(void)
{
	struct timespec start, end;
	uint64_t done = 0;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		for (unsigned r = 0; r < options.rounds; r++) {
			if (options.threads) {
				run_round();
			} else {
				hak_trace_run_unseen(hooks, NULL);
			}
			done += options.operations;
		}
	} while (options.lasts && !is_told_to_end);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (!options.is_quiet && done) {
		double ns = (double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec);
		printf("%.2f ns an operation\n", ns / (double)done);
		fflush(stdout);
	}
}

static void before_fork(void)
{
	tracer->fork(0);
}

static void after_fork_in_parent(void)
{
	tracer->fork(1);
}

static void after_fork_in_child(void)
{
	tracer->fork(2);
}

/* The child does the same again, in its main thread, and ends by itself. */
static void end_by_fork(void)
{
	pid_t child;
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
	child = fork();
	if (child == 0) {
		hak_trace_run_unseen(hooks, NULL);
		exit(0);
	}
	waitpid(child, NULL, 0);
	hak_trace_run_unseen(hooks, NULL);
}

static void do_corruption(void *arg)
{
	tracer->corruption(arg, "a message");
}

static int end(void)
{
	if (strcmp(options.end, "exit") == 0) {
		exit(0);
	} else if (strcmp(options.end, "_exit") == 0) {
		_exit(0);
	} else if (strcmp(options.end, "quick_exit") == 0) {
		quick_exit(0);
	} else if (strcmp(options.end, "exec") == 0) {
		execlp("true", "true", (char *)NULL);
	} else if (strcmp(options.end, "fork") == 0) {
		end_by_fork();
	} else if (strcmp(options.end, "kill") == 0) {
		kill(getpid(), SIGKILL);
	} else if (strcmp(options.end, "corrupt") == 0) {
		hak_trace_run_unseen(do_corruption, &options);
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	return 0;
}

static void on_term(int number)
{
	(void)number;
	is_told_to_end = 1;
}

static int usage(void)
{
	fputs("usage: trace_driver [-n OPERATIONS] [-t THREADS] [-r ROUNDS] [-s SAMPLE_EVERY] [-e END] [-l] "
	      "[-w] [-q]\n",
	      stderr);
	return 2;
}

static bool read_options(int argc, char **argv)
{
	for (int c; (c = getopt(argc, argv, "n:t:r:s:e:lwq")) != -1;) {
		switch (c) {
		case 'n':
			options.operations = strtoull(optarg, NULL, 10);
			break;
		case 't':
			options.threads = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'r':
			options.rounds = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 's':
			options.sample_every = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'e':
			options.end = optarg;
			break;
		case 'l':
			options.lasts = true;
			break;
		case 'w':
			options.waits = true;
			break;
		case 'q':
			options.is_quiet = true;
			break;
		default:
			return false;
		}
	}
	return options.threads <= 64;
}

int main(int argc, char **argv)
{
	if (!read_options(argc, argv)) {
		return usage();
	}
	if (!tracer) {
		fputs("trace_driver: no tracer is attached\n", stderr);
		return 1;
	}
	signal(SIGTERM, on_term);
	while (options.waits && !(tracer->wanted() & (HAK_TRACE_EVERY_OP | HAK_TRACE_SAMPLE)) &&
	       !is_told_to_end) {
		usleep(1000);
	}
	run();
	return end();
}
