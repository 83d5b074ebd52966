/* SPDX-License-Identifier: MIT */
/*
 * The driver of the benchmark programs: command line, worker threads, clock, result line.
 * Its tables come from mmap, so that only the measured pattern uses malloc.
 */
#include "bench.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

enum { MAX_THREADS = 256 };

struct run {
	const struct bench_mode *mode;
	pthread_barrier_t gate;
	atomic_bool over;
};

static struct run run;
static struct bench_worker workers[MAX_THREADS];

double bench_seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

_Noreturn void bench_fail(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

void *bench_memory(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		bench_fail("no memory for the benchmark's own tables");
	return at;
}

static bool is_done(const struct bench_options *o, uint64_t pairs)
{
	return o->pairs && pairs >= o->pairs;
}

static long faults_of_thread(void)
{
	struct rusage use;

	getrusage(RUSAGE_THREAD, &use);
	return use.ru_minflt;
}

static void *work(void *arg)
{
	struct bench_worker *w = arg;
	uint64_t pairs = 0;
	double began, cpu_began;
	long faults;

	w->slots = bench_memory(w->options->slots * sizeof *w->slots);
	if (run.mode->warm)
		run.mode->warm(w);
	pthread_barrier_wait(&run.gate);
	began = bench_seconds(CLOCK_MONOTONIC);
	cpu_began = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
	faults = faults_of_thread();
	/* At least something: on a busy machine the time may be over before this thread has begun. */
	while (!pairs ||
	       (!atomic_load_explicit(&run.over, memory_order_relaxed) && !is_done(w->options, pairs)))
		pairs += run.mode->round(w);
	if (!w->options->pairs) /* else every thread does all of its own */
		atomic_store(&run.over, true);
	w->pairs = pairs;
	w->seconds = bench_seconds(CLOCK_MONOTONIC) - began;
	w->faults = faults_of_thread() - faults;
	w->cpu_seconds += bench_seconds(CLOCK_THREAD_CPUTIME_ID) - cpu_began;
	for (size_t i = 0; i < w->options->slots; i++)
		free(w->slots[i]);
	return NULL;
}

static void run_threads(const struct bench_options *o)
{
	struct timespec duration = { o->millis / 1000, (long)(o->millis % 1000) * 1000000L };
	pthread_t ids[MAX_THREADS];

	pthread_barrier_init(&run.gate, NULL, o->threads + 1);
	for (unsigned i = 0; i < o->threads; i++) {
		workers[i] = (struct bench_worker) { .options = o, .index = i, .seed = 1 + 7919u * i };
		if (pthread_create(&ids[i], NULL, work, &workers[i]))
			bench_fail("cannot start a thread");
	}
	pthread_barrier_wait(&run.gate);
	if (!o->pairs) { /* no wait for an event: --ms is how long the run is to last */
		while (nanosleep(&duration, &duration) && errno == EINTR)
			;
		atomic_store(&run.over, true);
	}
	for (unsigned i = 0; i < o->threads; i++)
		pthread_join(ids[i], NULL);
}

static const char result_format[] =
	"%s mode=%s min=%zu max=%zu slots=%zu threads=%u mops=%.4f cpu_mops=%.4f faults=%.4f ";

/*
 * What the driver itself needs for its result, it has before the run: else its buffer and the code that
 * prints numbers would raise the peak of allocators that hold memory at the end, and not of those that gave
 * it back.
 */
static void prepare_to_print(const char *program, const struct bench_options *o)
{
	static char buffer[BUFSIZ], line[256];

	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	bench_proof_take(o->min);
	snprintf(line, sizeof line, result_format, program, o->mode, o->min, o->max, o->slots, o->threads,
		 bench_seconds(CLOCK_MONOTONIC), bench_seconds(CLOCK_THREAD_CPUTIME_ID), 0.1);
}

static bool print_result(const char *program, const struct bench_options *o)
{
	double rate = 0, pairs = 0, cpu = 0, faults = 0;

	for (unsigned i = 0; i < o->threads; i++) {
		rate += (double)workers[i].pairs / workers[i].seconds;
		pairs += (double)workers[i].pairs;
		cpu += workers[i].cpu_seconds;
		faults += (double)workers[i].faults;
	}
	printf(result_format, program, o->mode, o->min, o->max, o->slots, o->threads, rate * 1e-6,
	       pairs * 1e-6 / cpu, faults / pairs);
	return bench_proof_print(o->served_by);
}

static size_t number(const char *text)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value == 0 || value > UINT32_MAX) {
		fprintf(stderr, "bench: %s is not a number from 1 to 2^32-1\n", text);
		exit(2);
	}
	return (size_t)value;
}

static _Noreturn void usage(const struct bench_program *program)
{
	const struct bench_options *d = &program->defaults;

	fprintf(stderr,
		"usage: %s [--mode M] [--size N | --min N --max N] [--slots N] [--threads N]\n"
		"          [--ms N | --pairs N] [--served-by PART_OF_PATH]\n"
		"defaults: --min %zu --max %zu --slots %zu --threads %u --ms %u; modes:",
		program->name, d->min, d->max, d->slots, d->threads, d->millis);
	for (const struct bench_mode *m = program->modes; m->name; m++)
		fprintf(stderr, " %s", m->name);
	fputc('\n', stderr);
	exit(2);
}

static void take_option(int letter, struct bench_options *o, const struct bench_program *program)
{
	switch (letter) {
	case 'm':
		o->mode = optarg;
		break;
	case 's':
		o->min = o->max = number(optarg);
		break;
	case 'l':
		o->min = number(optarg);
		break;
	case 'u':
		o->max = number(optarg);
		break;
	case 'n':
		o->slots = number(optarg);
		break;
	case 't':
		o->threads = (unsigned)number(optarg);
		break;
	case 'd':
		o->millis = (unsigned)number(optarg);
		break;
	case 'p':
		o->pairs = number(optarg);
		break;
	case 'b':
		o->served_by = optarg;
		break;
	default:
		usage(program);
	}
}

static struct bench_options parse(int argc, char **argv, const struct bench_program *program)
{
	static const struct option names[] = {
		{ "mode", required_argument, NULL, 'm' },      { "size", required_argument, NULL, 's' },
		{ "min", required_argument, NULL, 'l' },       { "max", required_argument, NULL, 'u' },
		{ "slots", required_argument, NULL, 'n' },     { "threads", required_argument, NULL, 't' },
		{ "ms", required_argument, NULL, 'd' },	       { "pairs", required_argument, NULL, 'p' },
		{ "served-by", required_argument, NULL, 'b' }, { NULL, 0, NULL, 0 },
	};
	struct bench_options o = program->defaults;
	int letter;

	o.mode = program->modes->name;
	while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1)
		take_option(letter, &o, program);
	if (optind != argc || o.max < o.min || o.threads > MAX_THREADS)
		usage(program);
	return o;
}

static const struct bench_mode *find_mode(const struct bench_program *program, const char *name)
{
	for (const struct bench_mode *m = program->modes; m->name; m++) {
		if (!strcmp(m->name, name))
			return m;
	}
	usage(program);
}

int bench_main(int argc, char **argv, const struct bench_program *program)
{
	struct bench_options options = parse(argc, argv, program);

	run.mode = find_mode(program, options.mode);
	prepare_to_print(program->name, &options);
	if (program->prepare)
		program->prepare(&options);
	run_threads(&options);
	if (program->finish)
		program->finish(&options);
	bool is_proven = print_result(program->name, &options);
	return fflush(stdout) || !is_proven ? 1 : 0;
}
