/* SPDX-License-Identifier: MIT */
/*
 * threads THREADS ROUNDS: workers in a ring pass boxes of containers to each other, so that
 * nearly everything is freed by another thread than asked for it. Uses sized, aligned and
 * nothrow new, exceptions, and memory that outlives its thread. The printed sum depends on
 * the contents only, not on the order in which threads run.
 */
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace
{

struct alignas(128) wide {
	std::uint64_t value[16];
};

struct box {
	std::map<int, std::string> names;
	std::unordered_map<std::string, std::vector<int>> lists;
	std::vector<std::unique_ptr<wide>> wides;
	std::shared_ptr<std::string> shared;
};

struct queue {
	std::mutex mutex;
	std::condition_variable filled;
	std::deque<std::unique_ptr<box>> boxes;

	void put(std::unique_ptr<box> b)
	{
		{
			std::lock_guard<std::mutex> guard(mutex);
			boxes.push_back(std::move(b));
		}
		filled.notify_one();
	}

	std::unique_ptr<box> take()
	{
		std::unique_lock<std::mutex> guard(mutex);
		filled.wait(guard, [this] { return !boxes.empty(); });
		std::unique_ptr<box> b = std::move(boxes.front());
		boxes.pop_front();
		return b;
	}
};

std::unique_ptr<box> make_box(unsigned seed)
{
	auto b = std::make_unique<box>();
	for (unsigned i = 0; i < 20 + seed % 30; i++) {
		b->names[static_cast<int>(seed * i % 97)] = std::string(1 + (seed + i) % 200, 'n');
		b->lists[std::to_string(i % 7)].push_back(static_cast<int>(i * seed));
		b->wides.push_back(std::make_unique<wide>());
		b->wides.back()->value[3] = seed ^ i;
	}
	b->shared = std::make_shared<std::string>(seed % 3000, 's');
	return b;
}

std::uint64_t weigh(const box &b)
{
	std::uint64_t sum = b.shared->size();
	for (const auto &[key, name] : b.names) {
		sum += static_cast<std::uint64_t>(key) * name.size();
	}
	for (const auto &[key, list] : b.lists) {
		for (int n : list) {
			sum += static_cast<std::uint64_t>(n) + key.size();
		}
	}
	for (const auto &w : b.wides) {
		if (reinterpret_cast<std::uintptr_t>(w.get()) % alignof(wide) != 0) {
			throw std::runtime_error("misaligned");
		}
		sum += w->value[3];
	}
	return sum;
}

/* An exception object travels up a few frames; a request that cannot be met says so. */
std::uint64_t misbehave(unsigned n)
{
	try {
		if (n % 2 == 0) {
			throw std::out_of_range(std::string(n % 500, 'e'));
		}
		std::size_t too_much = SIZE_MAX / 2;
		std::unique_ptr<char[]> p(new char[too_much]);
		return p[0] == 0;
	} catch (const std::out_of_range &e) {
		return std::string(e.what()).size();
	} catch (const std::bad_alloc &) {
		return 3;
	}
}

void run(std::vector<queue> &ring, unsigned self, unsigned rounds, std::atomic<std::uint64_t> &total)
{
	thread_local std::vector<std::string> own;
	std::uint64_t sum = 0;
	for (unsigned round = 0; round < rounds; round++) {
		ring[(self + 1) % ring.size()].put(make_box(self * 1000 + round));
		std::unique_ptr<box> b = ring[self].take();
		sum += weigh(*b) + misbehave(round);
		own.emplace_back(round % 100, 'o');
		if (char *p = new (std::nothrow) char[round * 10 + 1]) {
			p[round] = 1;
			sum += static_cast<std::uint64_t>(p[round]);
			delete[] p;
		}
	}
	total += sum;
}

} // namespace

int main(int argc, char **argv)
{
	unsigned threads = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 4;
	unsigned rounds = argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : 100;
	std::atomic<std::uint64_t> total{ 0 };
	for (unsigned generation = 0; generation < 3; generation++) {
		std::vector<queue> ring(threads);
		std::vector<std::thread> workers;
		for (unsigned self = 0; self < threads; self++) {
			workers.emplace_back(run, std::ref(ring), self, rounds, std::ref(total));
		}
		for (std::thread &worker : workers) {
			worker.join();
		}
	}
	std::printf("%llu\n", static_cast<unsigned long long>(total.load()));
	return 0;
}
