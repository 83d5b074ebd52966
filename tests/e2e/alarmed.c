/* SPDX-License-Identifier: MIT */
/*
 * alarmed COUNT SIZE: allocates and frees blocks of SIZE bytes without pause, while a timer interrupts it
 * COUNT times, wherever it is. The handler forks and waits for the child, which ends by _exit, by exit, by
 * executing this program or after a child of its own, in turn. Prints how many children did. The timer is set
 * anew by each handler, so the program gets ahead however slow the machine is.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INTERVAL_US = 300 };

static volatile sig_atomic_t children, ended;
static const char *program;

/* In a child, which pid 0 stands for: ends it. */
static bool wait_for(pid_t pid, int *status)
{
	if (pid == 0) {
		_exit(0);
	}
	return pid > 0 && waitpid(pid, status, 0) == pid;
}

static _Noreturn void end_child(int n)
{
	int status = 1;
	switch (n % 4) {
	case 0:
		_exit(0);
	case 1:
		exit(0);
	case 2:
		_exit(wait_for(fork(), &status) && status == 0 ? 0 : 1);
	default:
		break;
	}
	execl(program, program, (char *)NULL);
	_exit(1);
}

static void arm(void)
{
	const struct itimerval once = { .it_value.tv_usec = INTERVAL_US };
	setitimer(ITIMER_REAL, &once, NULL);
}

static void on_alarm(int signal)
{
	int saved = errno, status = 1;
	(void)signal;
	pid_t child = fork();
	if (child == 0) {
		end_child(children);
	}
	children++;
	ended += wait_for(child, &status) && status == 0;
	arm();
	errno = saved;
}

int main(int argc, char **argv)
{
	if (argc == 1) {
		return 0; /* a child that has executed this program */
	}
	int count = argc == 3 ? (int)strtol(argv[1], NULL, 10) : 0;
	size_t size = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = on_alarm;
	program = argv[0];
	if (count < 1 || size == 0 || sigaction(SIGALRM, &action, NULL) != 0) {
		return 2;
	}
	arm();
	while (children < count) {
		void *volatile block = malloc(size);
		free(block);
	}
	signal(SIGALRM, SIG_IGN);
	printf("%d of %d children ended\n", (int)ended, (int)children);
	return 0;
}
