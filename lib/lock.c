/* SPDX-License-Identifier: MIT */
/* The contended half of the mutex. */
#include "lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A short spin covers the usual hold time (some tens of nanoseconds) without a system call. */
enum { SPINS = 60 };

HAK_THREAD_LOCAL unsigned hak_locks_held;

static void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb");
#endif
}

static void futex(struct hak_lock *lock, int operation, int value)
{
	int saved = errno; /* EAGAIN and EINTR are ordinary here, and free must not change errno */
	syscall(SYS_futex, &lock->state, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
	errno = saved;
}

HAK_COLD HAK_NOINLINE void hak_lock_wait(struct hak_lock *lock)
{
	for (int i = 0; i < SPINS; i++) {
		if (atomic_load_explicit(&lock->state, memory_order_relaxed) == 0 && hak_lock_grab(lock)) {
			return;
		}
		pause_cpu();
	}
	while (atomic_exchange_explicit(&lock->state, 2, memory_order_acquire) != 0) {
		futex(lock, FUTEX_WAIT, 2);
	}
}

HAK_COLD bool hak_lock_pause(unsigned turn, unsigned ms)
{
	static const struct timespec millisecond = { .tv_nsec = 1000000 };
	if ((turn + 1) % SPINS != 0) {
		pause_cpu();
		return true;
	}
	int saved = errno;
	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &millisecond, NULL);
	errno = saved;
	return turn / SPINS < ms;
}

HAK_COLD HAK_NOINLINE void hak_lock_wake(struct hak_lock *lock)
{
	futex(lock, FUTEX_WAKE, 1);
}
