/* SPDX-License-Identifier: MIT */
/*
 * A program that replaces the basic operators and not the others. Its blocks begin with a
 * header, so a block that it allocated and somebody else freed, or the other way round,
 * does not stay unnoticed: every form has to end in the program's operators.
 */
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "check.h"

/* What -Wsized-deallocation asks for would defeat the purpose: the sized form is not replaced. */
#pragma GCC diagnostic ignored "-Wsized-deallocation"

namespace
{

const std::size_t HEADER = 64;
const std::size_t REFUSED = 123456;
const unsigned MARK = 0x600df00d;
int news, deletes, strangers;

void *with_header(void *block)
{
	*static_cast<unsigned *>(block) = MARK;
	news++;
	return static_cast<char *>(block) + HEADER;
}

/* Out of line: the compiler thinks that nothing lies in front of what `new` returned. */
__attribute__((noinline)) void *start_of(void *p)
{
	void *block = static_cast<char *>(p) - HEADER;
	unsigned *mark = static_cast<unsigned *>(block);
	strangers += *mark != MARK;
	*mark = 0;
	deletes++;
	return block;
}

} // namespace

void *operator new(std::size_t size)
{
	void *block = size == REFUSED ? nullptr : std::malloc(size + HEADER);
	if (!block) {
		throw std::bad_alloc();
	}
	return with_header(block);
}

void operator delete(void *p) noexcept
{
	if (p) {
		std::free(start_of(p));
	}
}

void *operator new(std::size_t size, std::align_val_t alignment)
{
	std::size_t align = static_cast<std::size_t>(alignment);
	void *block = align <= HEADER ? aligned_alloc(HEADER, size + HEADER) : nullptr;
	if (!block) {
		throw std::bad_alloc();
	}
	return with_header(block);
}

void operator delete(void *p, std::align_val_t) noexcept
{
	if (p) {
		std::free(start_of(p));
	}
}

namespace
{

void expect_all_here(int expected)
{
	assert_int_equal(news, expected);
	assert_int_equal(deletes, expected);
	assert_int_equal(strangers, 0);
	news = deletes = strangers = 0;
}

int start(void **)
{
	news = deletes = strangers = 0;
	return 0;
}

void containers_use_the_programs_operators(void **)
{
	{
		std::vector<std::string> strings;
		strings.reserve(100);
		for (std::size_t i = 0; i < 100; i++) {
			strings.emplace_back(100 + i, 'x');
		}
	}
	expect_all_here(101);
}

void array_forms_use_them(void **)
{
	char *p = static_cast<char *>(::operator new[](opaque(100)));
	::operator delete[](p);
	p = static_cast<char *>(::operator new[](opaque(100)));
	::operator delete[](p, (std::size_t)100);
	expect_all_here(2);
}

void sized_delete_uses_them(void **)
{
	::operator delete(::operator new(opaque(100)), (std::size_t)100);
	expect_all_here(1);
}

void nothrow_forms_use_them(void **)
{
	::operator delete(::operator new(opaque(100), std::nothrow));
	::operator delete(::operator new(opaque(100), std::nothrow), std::nothrow);
	::operator delete[](::operator new[](opaque(100), std::nothrow));
	::operator delete[](::operator new[](opaque(100), std::nothrow), std::nothrow);
	expect_all_here(4);
}

void aligned_forms_use_them(void **)
{
	std::align_val_t a{ 64 };
	::operator delete(::operator new(opaque(100), a), (std::size_t)100, a);
	::operator delete[](::operator new[](opaque(100), a), a);
	::operator delete[](::operator new[](opaque(100), a), (std::size_t)100, a);
	::operator delete(::operator new(opaque(100), a, std::nothrow), a, std::nothrow);
	::operator delete[](::operator new[](opaque(100), a, std::nothrow), a, std::nothrow);
	expect_all_here(5);
}

void an_exception_of_theirs_becomes_null_for_nothrow(void **)
{
	assert_null(::operator new(opaque(REFUSED), std::nothrow));
	assert_null(::operator new[](opaque(REFUSED), std::nothrow));
	assert_null(::operator new(opaque(100), std::align_val_t{ 4096 }, std::nothrow));
	assert_null(::operator new[](opaque(100), std::align_val_t{ 4096 }, std::nothrow));
	expect_all_here(0);
}

} // namespace

int main()
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(containers_use_the_programs_operators, start),
		cmocka_unit_test_setup(array_forms_use_them, start),
		cmocka_unit_test_setup(sized_delete_uses_them, start),
		cmocka_unit_test_setup(nothrow_forms_use_them, start),
		cmocka_unit_test_setup(aligned_forms_use_them, start),
		cmocka_unit_test_setup(an_exception_of_theirs_becomes_null_for_nothrow, start),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
