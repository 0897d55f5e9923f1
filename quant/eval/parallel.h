// SPDX-License-Identifier: MIT
// Independent items over several threads; the first failure is thrown again after
// all threads ended.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace mcusim {

// `make_worker()` is called once per thread and gives a callable for one item.
template <typename MakeWorker>
void for_each_parallel(uint64_t count, unsigned threads, const MakeWorker& make_worker) {
  std::atomic<uint64_t> next{0};
  std::exception_ptr failure;
  std::mutex lock;
  const auto work = [&] {
    try {
      auto item = make_worker();
      for (uint64_t i; (i = next++) < count;) item(i);
    } catch (...) {
      next = count;
      const std::lock_guard guard(lock);
      failure = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  const uint64_t useful = std::min<uint64_t>(std::max(threads, 1u), count);
  for (uint64_t i = 1; i < useful; ++i) others.emplace_back(work);
  work();
  for (auto& thread : others) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace mcusim
