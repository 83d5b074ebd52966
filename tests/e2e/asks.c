/* SPDX-License-Identifier: MIT */
/*
 * asks: threads that ask libc first of all where their stack is. Each answer allocates, with a lock of the
 * thread's held.
 */
#include <pthread.h>
#include <stddef.h>

enum { THREADS = 20 };

static void *ask(void *failed)
{
	pthread_attr_t attributes;
	if (pthread_getattr_np(pthread_self(), &attributes) != 0) {
		return failed;
	}
	pthread_attr_destroy(&attributes);
	return NULL;
}

int main(void)
{
	for (int i = 0; i < THREADS; i++) {
		static int failure;
		pthread_t thread;
		void *result = &failure;
		if (pthread_create(&thread, NULL, ask, &failure) != 0 || pthread_join(thread, &result) != 0 ||
		    result) {
			return 1;
		}
	}
	return 0;
}
