/* SPDX-License-Identifier: MIT */
/*
 * A mutex of one word that sleeps in the kernel when it is contended, so that a preempted
 * owner does not make sixty-four spinners burn the time slice it needs. Three states as in
 * Drepper, "Futexes Are Tricky" (2011). Never allocates; a fork child may simply reset it. Each thread
 * counts those that it holds, for signal handlers that interrupt it.
 */
#ifndef HAK_LIB_LOCK_H
#define HAK_LIB_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "compiler.h"

struct hak_lock {
	atomic_int state; /* 0 free, 1 held, 2 held and somebody may sleep */
};

/* By the calling thread, a moment longer than it does. */
extern HAK_HIDDEN HAK_THREAD_LOCAL unsigned hak_locks_held;

HAK_HIDDEN void hak_lock_wait(struct hak_lock *lock);
HAK_HIDDEN void hak_lock_wake(struct hak_lock *lock);

/* For the functions below: not counted. */
HAK_INLINE bool hak_lock_grab(struct hak_lock *lock)
{
	int expected = 0;
	return atomic_compare_exchange_strong_explicit(&lock->state, &expected, 1, memory_order_acquire,
						       memory_order_relaxed);
}

/* A signal finds the count no smaller than it is. */
HAK_INLINE void hak_lock_count(void)
{
	hak_locks_held++;
	atomic_signal_fence(memory_order_seq_cst);
}

HAK_INLINE void hak_lock_discount(void)
{
	atomic_signal_fence(memory_order_seq_cst);
	hak_locks_held--;
}

HAK_INLINE void hak_lock_take(struct hak_lock *lock)
{
	hak_lock_count();
	if (HAK_UNLIKELY(!hak_lock_grab(lock))) {
		hak_lock_wait(lock);
	}
}

HAK_INLINE void hak_lock_drop(struct hak_lock *lock)
{
	if (HAK_UNLIKELY(atomic_exchange_explicit(&lock->state, 0, memory_order_release) == 2)) {
		hak_lock_wake(lock);
	}
	hak_lock_discount();
}

/*
 * Between two looks at what another thread will soon have done with: `turn` counts them from 0. Pauses, at
 * times by sleeping; false once that came to about `ms` milliseconds. For what a signal handler may ask,
 * whose own thread it may wait for.
 */
HAK_HIDDEN bool hak_lock_pause(unsigned turn, unsigned ms);

/* False: not for so long. */
HAK_INLINE bool hak_lock_take_within(struct hak_lock *lock, unsigned ms)
{
	hak_lock_count();
	for (unsigned turn = 0; !hak_lock_grab(lock); turn++) {
		if (!hak_lock_pause(turn, ms)) {
			hak_lock_discount();
			return false;
		}
	}
	return true;
}

/* In a fork child, where the owner was the forking thread and nobody waits. */
HAK_INLINE void hak_lock_reset(struct hak_lock *lock)
{
	atomic_store_explicit(&lock->state, 0, memory_order_relaxed);
	hak_lock_discount();
}

#endif
