// SPDX-License-Identifier: MIT
// Standard containers in two threads: maps of strings, vectors that grow, shared pointers that the other thread drops.
#include <cstdio>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace
{
struct Order {
	std::string customer;
	std::vector<int> lines;
	std::map<std::string, double> prices;
};

std::mutex gate;
std::deque<std::shared_ptr<Order>> passed;

void pass_on(std::shared_ptr<Order> order)
{
	std::shared_ptr<Order> oldest;
	std::lock_guard<std::mutex> hold(gate);
	passed.push_back(std::move(order));
	if (passed.size() > 500) {
		oldest = std::move(passed.front());
		passed.pop_front();
	}
}

std::size_t work(unsigned seed)
{
	std::mt19937 random(seed);
	std::unordered_map<std::string, std::shared_ptr<Order>> open;
	std::size_t total = 0;
	for (int i = 0; i < 150000; i++) {
		std::string key = "customer-" + std::to_string(random() % 4000) + std::string(random() % 24, 'x');
		auto &order = open[key];
		if (!order)
			order = std::make_shared<Order>();
		order->customer = key + "/" + key;
		for (unsigned n = random() % 8; n > 0; n--)
			order->lines.push_back(i);
		order->prices["item" + std::to_string(random() % 64)] += 0.5;
		total += order->lines.size() + order->prices.size();
		if (random() % 4 == 0) {
			pass_on(order);
			open.erase(key);
		}
	}
	return total;
}
} // namespace

int main()
{
	auto first = std::async(std::launch::async, work, 1);
	auto second = std::async(std::launch::async, work, 2);
	std::size_t sum = first.get();
	sum += second.get();
	std::printf("%zu\n", sum);
	return 0;
}
