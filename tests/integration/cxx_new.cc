/* SPDX-License-Identifier: MIT */
/*
 * operator new and delete in every form: which allocator they reach, alignment, failure as
 * an exception or a null pointer, and the new-handler's three ways out.
 */
#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include "check.h"

namespace
{

/* No class has this size, no machine this memory. */
const std::size_t TOO_MUCH = (std::size_t)1 << 60;

struct alignas(128) wide {
	char bytes[200];
};

struct throws_in_constructor {
	char bytes[300];
	throws_in_constructor() { throw 5; }
};

void operators_come_from_the_allocator_under_test(void **)
{
	const char *const names[] = { "_Znwm",
				      "_Znam",
				      "_ZnwmRKSt9nothrow_t",
				      "_ZnamRKSt9nothrow_t",
				      "_ZnwmSt11align_val_t",
				      "_ZnamSt11align_val_t",
				      "_ZnwmSt11align_val_tRKSt9nothrow_t",
				      "_ZnamSt11align_val_tRKSt9nothrow_t",
				      "_ZdlPv",
				      "_ZdaPv",
				      "_ZdlPvm",
				      "_ZdaPvm",
				      "_ZdlPvRKSt9nothrow_t",
				      "_ZdaPvRKSt9nothrow_t",
				      "_ZdlPvSt11align_val_t",
				      "_ZdaPvSt11align_val_t",
				      "_ZdlPvmSt11align_val_t",
				      "_ZdaPvmSt11align_val_t",
				      "_ZdlPvSt11align_val_tRKSt9nothrow_t",
				      "_ZdaPvSt11align_val_tRKSt9nothrow_t" };
	for (const char *name : names) {
		Dl_info info;
		void *function = dlsym(RTLD_DEFAULT, name);
		assert_non_null(function);
		assert_true(dladdr(function, &info) != 0);
		assert_true(!on_hakmem() || std::string(info.dli_fname).find("libhakmem.so") != std::string::npos);
	}
}

void plain_forms_allocate(void **)
{
	for (std::size_t size = 0; size < 300000; size = size * 2 + 1) {
		void *p = ::operator new(size), *q = ::operator new[](size);
		void *r = ::operator new(size, std::nothrow), *s = ::operator new[](size, std::nothrow);
		for (void *each : { p, q, r, s }) {
			assert_non_null(each);
			assert_true(is_aligned(each, natural_alignment(size)));
			fill(each, size, 1);
		}
		::operator delete(p, size);
		::operator delete[](q, size);
		::operator delete(r, std::nothrow);
		::operator delete[](s, std::nothrow);
		::operator delete(::operator new(size));
		::operator delete[](::operator new[](size));
	}
	::operator delete(nullptr);
	::operator delete(nullptr, (std::size_t)5);
}

void aligned_forms_align(void **)
{
	for (std::size_t alignment = 1; alignment <= 65536; alignment *= 2) {
		std::align_val_t a{ alignment };
		for (std::size_t size : { 1, 40, 1000, 20000, 500000 }) {
			void *p = ::operator new(size, a), *q = ::operator new[](size, a);
			void *r = ::operator new(size, a, std::nothrow), *s = ::operator new[](size, a, std::nothrow);
			for (void *each : { p, q, r, s }) {
				assert_non_null(each);
				assert_true(is_aligned(each, alignment));
				fill(each, size, 2);
			}
			::operator delete(p, size, a);
			::operator delete[](q, size, a);
			::operator delete(r, a, std::nothrow);
			::operator delete[](s, a, std::nothrow);
			::operator delete(::operator new(size, a), a);
			::operator delete[](::operator new[](size, a), a);
		}
	}
}

void objects_of_extended_alignment_are_aligned(void **)
{
	std::vector<wide> many(100);
	for (auto &each : many) {
		assert_true(is_aligned(&each, 128));
	}
	wide *one = new wide;
	assert_true(is_aligned(one, 128));
	delete one;
}

template <typename Function> bool throws_bad_alloc(Function function)
{
	try {
		function();
	} catch (const std::bad_alloc &) {
		return true;
	}
	return false;
}

void *volatile sink;

void failure_is_bad_alloc(void **)
{
	std::align_val_t a{ 64 };
	std::size_t size = opaque(TOO_MUCH);
	for (int i = 0; i < 100; i++) {
		assert_true(throws_bad_alloc([&] { sink = ::operator new(size); }));
		assert_true(throws_bad_alloc([&] { sink = ::operator new[](size); }));
		assert_true(throws_bad_alloc([&] { sink = ::operator new(size, a); }));
		assert_true(throws_bad_alloc([&] { sink = ::operator new[](size, a); }));
		assert_true(throws_bad_alloc([&] { std::vector<char> v(size); }));
	}
}

void failure_without_exceptions_is_null(void **)
{
	std::align_val_t a{ 64 };
	std::size_t size = opaque(TOO_MUCH);
	assert_null(::operator new(size, std::nothrow));
	assert_null(::operator new[](size, std::nothrow));
	assert_null(::operator new(size, a, std::nothrow));
	assert_null(::operator new[](size, a, std::nothrow));
}

/* Rounded up to the alignment, these sizes are 0. */
void sizes_next_to_the_largest_fail_too(void **)
{
	for (std::size_t alignment = 16; alignment <= 4096; alignment *= 2) {
		std::align_val_t a{ alignment };
		std::size_t size = opaque(SIZE_MAX - alignment + 2);
		assert_true(throws_bad_alloc([&] { sink = ::operator new(size, a); }));
		assert_true(throws_bad_alloc([&] { sink = ::operator new[](SIZE_MAX, a); }));
		assert_null(::operator new(size, a, std::nothrow));
		assert_null(::operator new[](SIZE_MAX, a, std::nothrow));
	}
}

/* Frames between the throw in the library and the catch are unwound: destructors run. */
void destructors_run_on_the_way_out(void **)
{
	struct counter {
		int &count;
		~counter() { count++; }
	};
	int count = 0;
	assert_true(throws_bad_alloc([&] {
		counter outer{ count };
		std::string held(1000, 'x');
		[&] {
			counter inner{ count };
			sink = ::operator new(opaque(TOO_MUCH));
		}();
	}));
	assert_int_equal(count, 2);
}

void memory_of_a_throwing_constructor_is_freed(void **)
{
	for (int i = 0; i < 1000; i++) {
		bool caught = false;
		try {
			sink = new throws_in_constructor;
		} catch (int) {
			caught = true;
		}
		assert_true(caught);
	}
}

int handler_calls;

void handler_that_gives_up()
{
	if (++handler_calls == 3) {
		std::set_new_handler(nullptr);
	}
}

struct special : std::bad_alloc {};

void handler_that_throws()
{
	handler_calls++;
	throw special();
}

void the_handler_is_called_until_it_gives_up(void **)
{
	handler_calls = 0;
	std::set_new_handler(handler_that_gives_up);
	assert_true(throws_bad_alloc([] { sink = ::operator new(opaque(TOO_MUCH)); }));
	assert_int_equal(handler_calls, 3);
	assert_true(std::get_new_handler() == nullptr);
	handler_calls = 0;
	std::set_new_handler(handler_that_gives_up);
	assert_null(::operator new(opaque(TOO_MUCH), std::nothrow));
	assert_int_equal(handler_calls, 3);
	handler_calls = 0;
	std::set_new_handler(handler_that_gives_up);
	assert_null(::operator new(opaque(TOO_MUCH), std::align_val_t{ 64 }, std::nothrow));
	assert_int_equal(handler_calls, 3);
}

void *reserve;

void handler_that_frees_its_reserve()
{
	std::free(reserve);
	reserve = nullptr;
	std::set_new_handler(nullptr);
}

/* Where the handler found memory, the block has the size that was asked for. */
void a_block_got_by_the_handler_has_its_size(void **)
{
	if (!on_hakmem()) {
		return; /* glibc gives the reserve to the system, which gives none back */
	}
	const std::align_val_t a{ 64 };
	const std::size_t size = opaque((std::size_t)200 << 20) + 5;
	struct rlimit now, low;
	assert_int_equal(getrlimit(RLIMIT_DATA, &now), 0);
	reserve = std::malloc(size + (100 << 20));
	assert_non_null(reserve);
	low = now;
	low.rlim_cur = 1; /* nothing new */
	assert_int_equal(setrlimit(RLIMIT_DATA, &low), 0);
	std::set_new_handler(handler_that_frees_its_reserve);
	void *p = ::operator new(size, a);
	assert_int_equal(setrlimit(RLIMIT_DATA, &now), 0);
	assert_null(reserve);
	assert_non_null(p);
	::operator delete(p, size, a);
}

void an_exception_of_the_handler_reaches_the_caller(void **)
{
	bool caught = false;
	handler_calls = 0;
	std::set_new_handler(handler_that_throws);
	try {
		sink = ::operator new(opaque(TOO_MUCH));
	} catch (const special &) {
		caught = true;
	}
	std::set_new_handler(nullptr);
	assert_true(caught);
	assert_int_equal(handler_calls, 1);
}

void an_exception_of_the_handler_becomes_null_for_nothrow(void **)
{
	std::align_val_t a{ 64 };
	handler_calls = 0;
	std::set_new_handler(handler_that_throws);
	void *p = ::operator new(opaque(TOO_MUCH), std::nothrow);
	void *q = ::operator new[](opaque(TOO_MUCH), std::nothrow);
	void *r = ::operator new(opaque(TOO_MUCH), a, std::nothrow);
	void *s = ::operator new[](opaque(TOO_MUCH), a, std::nothrow);
	std::set_new_handler(nullptr);
	assert_null(p);
	assert_null(q);
	assert_null(r);
	assert_null(s);
	assert_int_equal(handler_calls, 4);
}

struct in_thread {
	std::string text = std::string(500, 'a');
	std::vector<std::string> more;
	~in_thread() { more.emplace_back(2000, 'b'); }
};

thread_local in_thread local;

/* They run after the thread's function, and allocate. */
void destructors_of_thread_locals_allocate(void **)
{
	for (int i = 0; i < 200; i++) {
		std::size_t length = 0;
		std::thread worker([&] {
			for (int k = 0; k < 50; k++) {
				local.more.emplace_back((std::size_t)k * 40, 'c');
			}
			length = local.text.size() + local.more.size();
		});
		worker.join();
		assert_int_equal(length, 550);
	}
}

void exceptions_cross_threads(void **)
{
	std::exception_ptr carried;
	std::thread worker([&] {
		try {
			sink = ::operator new(opaque(TOO_MUCH));
		} catch (...) {
			carried = std::current_exception();
		}
	});
	worker.join();
	assert_true(throws_bad_alloc([&] { std::rethrow_exception(carried); }));
}

} // namespace

int main()
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operators_come_from_the_allocator_under_test),
		cmocka_unit_test(plain_forms_allocate),
		cmocka_unit_test(aligned_forms_align),
		cmocka_unit_test(objects_of_extended_alignment_are_aligned),
		cmocka_unit_test(failure_is_bad_alloc),
		cmocka_unit_test(failure_without_exceptions_is_null),
		cmocka_unit_test(sizes_next_to_the_largest_fail_too),
		cmocka_unit_test(destructors_run_on_the_way_out),
		cmocka_unit_test(memory_of_a_throwing_constructor_is_freed),
		cmocka_unit_test(the_handler_is_called_until_it_gives_up),
		cmocka_unit_test(a_block_got_by_the_handler_has_its_size),
		cmocka_unit_test(an_exception_of_the_handler_reaches_the_caller),
		cmocka_unit_test(an_exception_of_the_handler_becomes_null_for_nothrow),
		cmocka_unit_test(destructors_of_thread_locals_allocate),
		cmocka_unit_test(exceptions_cross_threads),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
